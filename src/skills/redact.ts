/** What stands in the place of a secret. */
export type MaskOf = (secret: string) => string;

interface Needle {
  readonly bytes: Buffer;
  readonly mask: Buffer;
}

/**
 * Replaces secret values in a stream of bytes by `***`, or what `maskOf` makes of them, also when one is cut in two by
 * the borders of chunks.
 * Without secrets it passes chunks through untouched. One redactor a stream.
 */
export class Redactor {
  readonly #maskOf: MaskOf;
  /** Text to look for → the secret that it is a form of. */
  readonly #forms = new Map<string, string>();
  #needles: Needle[] = [];
  #held: Buffer = Buffer.alloc(0);

  constructor(values: Iterable<string>, maskOf: MaskOf = () => '***') {
    this.#maskOf = maskOf;
    this.add(values);
  }

  /** More values to hide from now on. The form inside JSON text is hidden as well. */
  add(values: Iterable<string>): void {
    for (const value of values) {
      if (value === '') continue;
      this.#forms.set(value, value);
      const inJson = JSON.stringify(value).slice(1, -1);
      if (!this.#forms.has(inJson)) this.#forms.set(inJson, value);
    }
    // Longer ones first: a secret may begin with another.
    this.#needles = [...this.#forms]
      .map(([text, value]) => ({ bytes: Buffer.from(text), mask: Buffer.from(this.#maskOf(value)) }))
      .sort((a, b) => b.bytes.length - a.bytes.length);
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
      parts.push(bytes.subarray(from, hit.at), hit.needle.mask);
      from = hit.at + hit.needle.bytes.length;
    }
    return from === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
  }

  #firstHit(bytes: Buffer, from: number): { at: number; needle: Needle } | null {
    let best: { at: number; needle: Needle } | null = null;
    for (const needle of this.#needles) {
      const at = bytes.indexOf(needle.bytes, from);
      if (at !== -1 && (best === null || at < best.at)) best = { at, needle };
    }
    return best;
  }

  #beginningAtEnd(bytes: Buffer): number {
    const longest = Math.min(bytes.length, (this.#needles[0]?.bytes.length ?? 0) - 1);
    for (let length = longest; length > 0; length--) {
      const tail = bytes.subarray(bytes.length - length);
      if (this.#needles.some(({ bytes: all }) => all.length > length && all.subarray(0, length).equals(tail)))
        return length;
    }
    return 0;
  }
}
