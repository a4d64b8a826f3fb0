const MASK = Buffer.from('***');

/**
 * Replaces secret values in a stream of bytes by `***`, also when one is cut in two by the borders of chunks.
 * Without secrets it passes chunks through untouched. One redactor a stream.
 */
export class Redactor {
  #needles: Buffer[] = [];
  #held: Buffer = Buffer.alloc(0);

  constructor(values: Iterable<string>) {
    this.add(values);
  }

  /** More values to hide from now on. The form inside JSON text is hidden as well. */
  add(values: Iterable<string>): void {
    const texts = new Set(this.#needles.map((needle) => needle.toString()));
    for (const value of values) {
      if (value === '') continue;
      texts.add(value);
      texts.add(JSON.stringify(value).slice(1, -1));
    }
    // Longer ones first: a secret may begin with another.
    this.#needles = [...texts].map((text) => Buffer.from(text)).sort((a, b) => b.length - a.length);
  }

  /** What can be shown now; the beginning of a possible secret at the end is held back. */
  push(chunk: Buffer): Buffer {
    if (this.#needles.length === 0) return chunk;
    const whole = this.#replace(this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]));
    const keep = this.#beginningAtEnd(whole);
    this.#held = Buffer.from(whole.subarray(whole.length - keep));
    return whole.subarray(0, whole.length - keep);
  }

  /** What was held back, at the end of the stream. */
  end(): Buffer {
    const rest = this.#held;
    this.#held = Buffer.alloc(0);
    return rest;
  }

  text(text: string): string {
    return this.#needles.length === 0 ? text : this.#replace(Buffer.from(text)).toString();
  }

  #replace(bytes: Buffer): Buffer {
    const parts: Buffer[] = [];
    let from = 0;
    for (;;) {
      const hit = this.#firstHit(bytes, from);
      if (hit === null) break;
      parts.push(bytes.subarray(from, hit.at), MASK);
      from = hit.at + hit.length;
    }
    return from === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
  }

  #firstHit(bytes: Buffer, from: number): { at: number; length: number } | null {
    let best: { at: number; length: number } | null = null;
    for (const needle of this.#needles) {
      const at = bytes.indexOf(needle, from);
      if (at !== -1 && (best === null || at < best.at)) best = { at, length: needle.length };
    }
    return best;
  }

  #beginningAtEnd(bytes: Buffer): number {
    const longest = Math.min(bytes.length, (this.#needles[0]?.length ?? 0) - 1);
    for (let length = longest; length > 0; length--) {
      const tail = bytes.subarray(bytes.length - length);
      if (this.#needles.some((needle) => needle.length > length && needle.subarray(0, length).equals(tail)))
        return length;
    }
    return 0;
  }
}
