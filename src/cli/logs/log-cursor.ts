import { type LogListing, partBase } from './log-files.ts';
import type { Piece } from './log-index.ts';
import { LogPart } from './log-part.ts';

export interface LogLine {
  readonly kind: 'line';
  readonly at: number;
  readonly stream: 'o' | 'e';
  readonly text: string;
}

/** Bytes that nobody can read any more: their part was dropped. `at` is when the next piece came. */
export interface LogGap {
  readonly kind: 'gap';
  readonly at: number;
  readonly bytes: number;
}

interface PartialLine {
  readonly at: number;
  readonly stream: 'o' | 'e';
  readonly chunks: Buffer[];
  size: number;
}

const MAX_LINE_BYTES = 1024 * 1024;

/**
 * Reads one log from where it stood, each byte once: a line, or a part of a gap. What has not yet ended its line waits
 * for the next time. Bounded memory. Holds the part that it reads open: close it.
 */
export class LogCursor {
  readonly #folder: string;
  readonly #file: string;
  readonly #stream: 'o' | 'e' | null;
  /** In bytes of the whole log: all before is handed out, or counted as gone. */
  #position = 0;
  #gone = 0;
  /** Pieces before it are passed over without being read. */
  #startAt = 0;
  #part: LogPart | null = null;
  #partial: PartialLine | null = null;

  /** With a `stream` the other one is passed over without being read. */
  constructor(folder: string, file: string, stream: 'o' | 'e' | null = null) {
    this.#folder = folder;
    this.#file = file;
    this.#stream = stream;
  }

  /** Begins in the middle, at a byte of the whole log where a line begins. Only before the first read. */
  startAt(position: number, listing: LogListing): void {
    this.#startAt = position;
    this.#position = listing.parts(this.#file).findLast((start) => start <= position) ?? 0;
  }

  /** Whole lines written since the last call, not before `since` (UTC ms). `listing` was made before the call. */
  *read(listing: LogListing, since: number): Generator<LogLine | LogGap> {
    const starts = listing.parts(this.#file);
    for (;;) {
      this.#part ??= this.#openNext(starts);
      const part = this.#part;
      if (part === null) return;
      // The next part is begun when this one is whole; the listing is older than what is read now.
      const isWhole = starts.some((start) => start > part.start);
      const wanted = { since, from: this.#startAt, stream: this.#stream };
      for (const piece of part.pieces(wanted)) yield* this.#piece(part, piece, since);
      if (!isWhole) return;
      this.close();
    }
  }

  /** The last line, when it has no end. */
  *rest(): Generator<LogLine> {
    if (this.#partial !== null && this.#partial.size > 0) yield this.#take(this.#partial);
  }

  close(): void {
    this.#part?.close();
    this.#part = null;
  }

  /** The earliest part that is there and not read yet. */
  #openNext(starts: readonly number[]): LogPart | null {
    for (const start of starts) {
      if (start < this.#position) continue;
      const part = LogPart.open(partBase(this.#folder, this.#file, start), start);
      if (part === null) continue;
      this.#gone += start - this.#position;
      this.#position = start;
      return part;
    }
    return null;
  }

  *#piece(part: LogPart, { at, stream, bytes, isWanted }: Piece, since: number): Generator<LogLine | LogGap> {
    const from = this.#position - part.start;
    const skipped = Math.max(0, this.#startAt - this.#position);
    this.#position += bytes;
    if (at < since || skipped >= bytes) {
      this.#gone = 0;
      return;
    }
    yield* this.#gap(at);
    if (!isWanted) {
      yield* this.rest();
      return;
    }
    for (let done = skipped; done < bytes; ) {
      const buffer = part.read(from + done, bytes - done);
      if (buffer.length === 0) {
        // Somebody cut the file: the index promised more.
        this.#gone = bytes - done;
        yield* this.#gap(at);
        return;
      }
      done += buffer.length;
      yield* this.#lines(buffer, at, stream);
    }
  }

  *#gap(at: number): Generator<LogLine | LogGap> {
    if (this.#gone === 0) return;
    yield* this.rest();
    yield { kind: 'gap', at, bytes: this.#gone };
    this.#gone = 0;
  }

  *#lines(buffer: Buffer, at: number, stream: 'o' | 'e'): Generator<LogLine> {
    if (this.#partial !== null && this.#partial.stream !== stream) yield* this.rest();
    let from = 0;
    for (let end = buffer.indexOf(10); end !== -1; end = buffer.indexOf(10, from)) {
      // Most lines come whole: no copy but the text itself.
      if (this.#partial === null)
        yield { kind: 'line', at, stream, text: buffer.toString('utf8', from, end) };
      else yield this.#take(this.#push(buffer.subarray(from, end), at, stream));
      from = end + 1;
    }
    if (from === buffer.length) return;
    const partial = this.#push(buffer.subarray(from), at, stream);
    if (partial.size > MAX_LINE_BYTES) yield this.#take(partial);
  }

  #push(chunk: Buffer, at: number, stream: 'o' | 'e'): PartialLine {
    this.#partial ??= { at, stream, chunks: [], size: 0 };
    this.#partial.chunks.push(Buffer.from(chunk));
    this.#partial.size += chunk.length;
    return this.#partial;
  }

  #take({ at, stream, chunks }: PartialLine): LogLine {
    this.#partial = null;
    return { kind: 'line', at, stream, text: Buffer.concat(chunks).toString('utf8') };
  }
}
