import type { Readable } from 'node:stream';
import { ensureError } from '../errors/workflow-error.ts';
import type { Redactor } from './redact.ts';
import type { CapturedText } from './result.ts';

export type StreamName = 'stdout' | 'stderr';

/**
 * Takes everything a step prints, secrets masked. It may write at once and return nothing, or return a promise: then
 * that pipe is not read until the promise settles, so a slow disk slows the child and memory stays bounded. The chunk
 * belongs to the sink. A sink that throws ends the step.
 */
export interface OutputSink {
  write(stream: StreamName, chunk: Buffer): void | Promise<void>;
}

export const DEFAULT_CAPTURE_BYTES = 1024 * 1024;
const TAIL_BYTES = 2048;

/** Keeps the first bytes of a stream, its last 2 kB and its length. */
export class Capture {
  readonly #maxBytes: number;
  #head: Buffer = Buffer.alloc(0);
  #headLength = 0;
  #tail: Buffer = Buffer.alloc(0);
  #totalBytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  push(chunk: Buffer): void {
    this.#totalBytes += chunk.length;
    const room = Math.min(chunk.length, this.#maxBytes - this.#headLength);
    if (room > 0) {
      this.#grow(this.#headLength + room);
      chunk.copy(this.#head, this.#headLength, 0, room);
      this.#headLength += room;
    }
    const last = chunk.length >= TAIL_BYTES ? chunk : Buffer.concat([this.#tail, chunk]);
    // A copy: a slice would keep the whole chunk alive.
    this.#tail = Buffer.from(last.subarray(Math.max(0, last.length - TAIL_BYTES)));
  }

  /** Invalid UTF-8 becomes U+FFFD; a character cut by the end of the head is dropped. */
  head(): CapturedText {
    const isTruncated = this.#totalBytes > this.#headLength;
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const text = decoder.decode(this.#head.subarray(0, this.#headLength), { stream: isTruncated });
    return { text, totalBytes: this.#totalBytes, isTruncated };
  }

  get totalBytes(): number {
    return this.#totalBytes;
  }

  /** The head; of a longer stream its last bytes, too, with a line between them that says what is missing. */
  ends(): string {
    const missing = this.#totalBytes - this.#headLength;
    const head = this.#head.subarray(0, this.#headLength);
    const end = this.#tail.subarray(Math.max(0, this.#tail.length - missing));
    const left = missing - end.length;
    if (left <= 0) return Buffer.concat([head, end]).toString('utf8');
    const { text } = this.head();
    return `${text}\n[… ${left} bytes left out …]\n${end.toString('utf8').replace(/^\ufffd+/, '')}`;
  }

  tail(): string {
    return this.#tail.toString('utf8');
  }

  #grow(needed: number): void {
    if (needed <= this.#head.length) return;
    const bigger = Buffer.alloc(Math.min(this.#maxBytes, Math.max(needed, this.#head.length * 2, 4096)));
    this.#head.copy(bigger, 0, 0, this.#headLength);
    this.#head = bigger;
  }
}

export interface PumpOptions {
  readonly name: StreamName;
  readonly redactor: Redactor;
  /** Whole and in order, after masking. */
  readonly take: (chunk: Buffer) => void;
  /** Asked per chunk: a session's sink changes with its calls. */
  readonly sink: () => OutputSink | null;
  readonly onError: (error: Error) => void;
}

/** Moves what a pipe brings to the taker and the sink; knows when it last moved. */
export class Pump {
  readonly #stream: Readable;
  readonly #options: PumpOptions;
  #lastMoveAt = performance.now();
  /** The last write that the sink has not finished; null when it is free. */
  #waiting: Promise<void> | null = null;

  constructor(stream: Readable, options: PumpOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.on('data', (chunk: Buffer) => this.#deliver(options.redactor.push(chunk)));
    stream.on('error', options.onError);
  }

  /** Milliseconds without a byte; 0 while the sink holds us up. */
  get quietMs(): number {
    return this.#waiting !== null ? 0 : performance.now() - this.#lastMoveAt;
  }

  /** Hands on what masking held back, closes our end of the pipe and waits for the sink. */
  async finish(): Promise<void> {
    this.#deliver(this.#options.redactor.end());
    this.#stream.destroy();
    while (this.#waiting !== null) await this.#waiting;
  }

  #deliver(chunk: Buffer): void {
    this.#lastMoveAt = performance.now();
    if (chunk.length === 0) return;
    try {
      this.#options.take(chunk);
      const { name, sink } = this.#options;
      // Node resumes the pipes of a child that has exited (flushStdio), so a chunk may come while we wait.
      const written =
        this.#waiting === null
          ? sink()?.write(name, chunk)
          : this.#waiting.then(() => sink()?.write(name, chunk));
      if (written !== undefined) this.#hold(written);
    } catch (error) {
      this.#options.onError(ensureError(error));
    }
  }

  /** Reads no further until the write is done. */
  #hold(written: Promise<void>): void {
    this.#stream.pause();
    const done = written
      .catch((thrown: unknown) => this.#options.onError(ensureError(thrown)))
      .then(() => {
        if (this.#waiting !== done) return;
        this.#waiting = null;
        this.#lastMoveAt = performance.now();
        this.#stream.resume();
      });
    this.#waiting = done;
  }
}
