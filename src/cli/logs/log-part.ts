import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../errors/workflow-error.ts';

/** One piece of a log, as its index says: when it came, from which stream, and how long it is. */
export interface Piece {
  readonly at: number;
  readonly stream: 'o' | 'e';
  readonly bytes: number;
}

const INDEX_CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;

/**
 * A part of a log that is being read. Held open: it can be read to its end after it was dropped. Its owner closes it.
 */
export class LogPart {
  /** In bytes of the whole log. */
  readonly start: number;
  readonly #log: number;
  readonly #index: number;
  #indexAt = 0;

  private constructor(start: number, log: number, index: number) {
    this.start = start;
    this.#log = log;
    this.#index = index;
  }

  /** Null when it is gone. */
  static open(base: string, start: number): LogPart | null {
    const index = openFile(`${base}.idx`);
    if (index === null) return null;
    const log = openFile(`${base}.log`);
    if (log !== null) return new LogPart(start, log, index);
    closeSync(index);
    return null;
  }

  /** The pieces that are new, up to what was there when it was called. Only whole lines of the index count. */
  *pieces(): Generator<Piece> {
    const end = fstatSync(this.#index).size;
    while (this.#indexAt < end) {
      const buffer = Buffer.allocUnsafe(Math.min(INDEX_CHUNK_BYTES, end - this.#indexAt));
      const count = readSync(this.#index, buffer, 0, buffer.length, this.#indexAt);
      const whole = buffer.subarray(0, count).lastIndexOf(NEWLINE) + 1;
      if (whole === 0) return;
      for (const line of buffer.toString('latin1', 0, whole - 1).split('\n')) {
        const [at = '0', stream = 'o', size = '0'] = line.split(' ');
        // Moved on before the piece is handed out: who stops in the middle does not get it again.
        this.#indexAt += line.length + 1;
        yield { at: Number(at), stream: stream === 'e' ? 'e' : 'o', bytes: Number(size) };
      }
    }
  }

  /** The bytes at a place of this part, as many as are there and fit into `buffer`: a view of its beginning. */
  read(position: number, buffer: Buffer): Buffer {
    return buffer.subarray(0, readSync(this.#log, buffer, 0, buffer.length, position));
  }

  close(): void {
    closeSync(this.#log);
    closeSync(this.#index);
  }
}

/** The folder is one that steps may write into: no link is followed, and no FIFO waited for. */
function openFile(file: string): number | null {
  try {
    return openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
