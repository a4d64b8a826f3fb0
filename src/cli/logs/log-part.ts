import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../errors/workflow-error.ts';
import { type Piece, piecesOf, type Wanted } from './log-index.ts';

const INDEX_CHUNK_BYTES = 64 * 1024;
const READ_BYTES = 256 * 1024;

/**
 * A part of a log that is being read. Held open: it can be read to its end after it was dropped. Its owner closes it.
 */
export class LogPart {
  /** In bytes of the whole log. */
  readonly start: number;
  readonly #log: number;
  readonly #index: number;
  #indexAt = 0;
  /** How much of the part the pieces that were handed out are, and those that are read from the index. */
  #handedOut = 0;
  #told = 0;
  /** Read into again and again: a buffer for each piece would fill the memory faster than it is collected. */
  readonly #buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  #bufferFrom = 0;
  #bufferTo = 0;

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
  *pieces(wanted: Wanted): Generator<Piece> {
    const end = fstatSync(this.#index).size;
    const buffer = Buffer.allocUnsafe(Math.min(INDEX_CHUNK_BYTES, end - this.#indexAt));
    while (this.#indexAt < end) {
      const count = readSync(this.#index, buffer, 0, buffer.length, this.#indexAt);
      const pieces = piecesOf(buffer.subarray(0, count), this.start + this.#handedOut, wanted);
      if (pieces.length === 0) return;
      this.#told = pieces.reduce((sum, { bytes }) => sum + bytes, this.#handedOut);
      for (const piece of pieces) {
        // Moved on before the piece is handed out: who stops in the middle does not get it again.
        this.#indexAt += piece.indexBytes;
        this.#handedOut += piece.bytes;
        yield piece;
      }
    }
  }

  /**
   * The bytes at a place of this part, as many as are there, at most so many: a view, good until the next call. Reads
   * ahead, a line may be a piece; but not of what the index does not tell yet: that may be taken back.
   */
  read(position: number, bytes: number): Buffer {
    if (position < this.#bufferFrom || position >= this.#bufferTo) {
      const ahead = Math.min(READ_BYTES, Math.max(bytes, this.#told - position));
      this.#bufferFrom = position;
      this.#bufferTo = position + readSync(this.#log, this.#buffer, 0, ahead, position);
    }
    const from = position - this.#bufferFrom;
    return this.#buffer.subarray(from, Math.min(from + bytes, this.#bufferTo - this.#bufferFrom));
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
