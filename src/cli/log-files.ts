import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors/workflow-error.ts';

/** One attempt's log in an instance's folder; written by the instance (`step-log.ts` there says how). */
export interface StepLogFile {
  readonly path: string;
  readonly attempt: number;
  readonly file: string;
}

export interface LogLine {
  readonly at: number;
  readonly stream: 'o' | 'e';
  readonly text: string;
}

/** The logs of an instance, in the order in which their steps began. */
export function listStepLogs(folder: string): StepLogFile[] {
  return readText(join(folder, 'logs.jsonl'))
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line) as StepLogFile);
}

/** Old files of a log that was turned over, the oldest first, then the current one. */
const TURNED = ['.3', '.2', '.1', ''];
const PIECE_BYTES = 1024 * 1024;
const MAX_LINE_BYTES = 1024 * 1024;

/** Reads one log from where it stood; what has not yet ended its line waits for the next time. Bounded memory. */
export class LogCursor {
  readonly #folder: string;
  readonly #file: string;
  #pieces = 0;
  #bytes = 0;
  #partial: { at: number; stream: 'o' | 'e'; chunks: Buffer[]; size: number } | null = null;

  constructor(folder: string, file: string) {
    this.#folder = folder;
    this.#file = file;
  }

  /** Whole lines written since the last call, not before `since` (UTC ms). */
  *lines(since: number): Generator<LogLine> {
    for (const suffix of this.#pieces === 0 ? TURNED : ['']) {
      const base = join(this.#folder, `${this.#file}${suffix}`);
      const index = readText(`${base}.idx`).split('\n').filter(Boolean);
      if (index.length < this.#pieces) this.#restart();
      const fresh = index.slice(suffix === '' ? this.#pieces : 0);
      if (fresh.length === 0) continue;
      const log = openSync(`${base}.log`, 'r');
      try {
        let position = suffix === '' ? this.#bytes : 0;
        for (const entry of fresh) {
          const [at = '0', stream = 'o', size = '0'] = entry.split(' ');
          const bytes = Number(size);
          if (Number(at) >= since)
            yield* this.#piece(log, position, bytes, Number(at), stream === 'e' ? 'e' : 'o');
          position += bytes;
        }
        if (suffix === '') {
          this.#pieces = index.length;
          this.#bytes = position;
        }
      } finally {
        closeSync(log);
      }
    }
  }

  /** The last line, when it has no end. */
  *rest(): Generator<LogLine> {
    if (this.#partial !== null && this.#partial.size > 0) yield this.#take();
  }

  #restart(): void {
    this.#pieces = 0;
    this.#bytes = 0;
  }

  *#piece(log: number, position: number, bytes: number, at: number, stream: 'o' | 'e'): Generator<LogLine> {
    for (let done = 0; done < bytes; ) {
      const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, bytes - done));
      const count = readSync(log, buffer, 0, buffer.length, position + done);
      if (count === 0) return;
      done += count;
      if (this.#partial !== null && this.#partial.stream !== stream && this.#partial.size > 0)
        yield this.#take();
      let from = 0;
      for (let end = buffer.indexOf(10); end !== -1 && end < count; end = buffer.indexOf(10, from)) {
        this.#push(buffer.subarray(from, end), at, stream);
        yield this.#take();
        from = end + 1;
      }
      if (from < count) this.#push(buffer.subarray(from, count), at, stream);
      if (this.#partial !== null && this.#partial.size > MAX_LINE_BYTES) yield this.#take();
    }
  }

  #push(chunk: Buffer, at: number, stream: 'o' | 'e'): void {
    this.#partial ??= { at, stream, chunks: [], size: 0 };
    this.#partial.chunks.push(chunk);
    this.#partial.size += chunk.length;
  }

  #take(): LogLine {
    const partial = this.#partial ?? { at: 0, stream: 'o' as const, chunks: [] };
    this.#partial = null;
    return { at: partial.at, stream: partial.stream, text: Buffer.concat(partial.chunks).toString('utf8') };
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return '';
    throw error;
  }
}
