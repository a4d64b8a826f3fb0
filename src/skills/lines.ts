/** Cuts a stream of bytes into lines of UTF-8 text, without their ends; a line over the limit is reported once. */
export class LineReader {
  readonly #maxBytes: number;
  readonly #onLine: (line: string) => void;
  readonly #onTooLong: () => void;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(maxBytes: number, onLine: (line: string) => void, onTooLong: () => void) {
    this.#maxBytes = maxBytes;
    this.#onLine = onLine;
    this.#onTooLong = onTooLong;
  }

  push(chunk: Buffer): void {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(0x0a, from);
      const part = chunk.subarray(from, end === -1 ? chunk.length : end);
      if (this.#length + part.length > this.#maxBytes) {
        this.reset();
        this.#onTooLong();
        return;
      }
      if (part.length > 0) this.#parts.push(part);
      this.#length += part.length;
      if (end === -1) return;
      const line = Buffer.concat(this.#parts).toString('utf8').replace(/\r$/, '');
      this.reset();
      this.#onLine(line);
      from = end + 1;
    }
  }

  /** Forgets the beginning of a line that has no end yet. */
  reset(): void {
    this.#parts = [];
    this.#length = 0;
  }
}
