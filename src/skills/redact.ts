import { secretForms } from './secret-forms.ts';

/** What stands in the place of a secret. */
export type MaskOf = (secret: string) => string;

interface Needle {
  readonly bytes: Buffer;
  readonly mask: Buffer;
}

/**
 * Replaces secret values in a stream of bytes, in all their forms, by `***`, or what `maskOf` makes of them, also when one
 * is cut in two by the borders of chunks: what comes out is the same wherever they are.
 * Without secrets it passes chunks through untouched. One redactor a stream.
 */
export class Redactor {
  readonly #maskOf: MaskOf;
  readonly #more: () => Iterable<string>;
  /** Text to look for → the secret that it is a form of. */
  readonly #forms = new Map<string, string>();
  #needles: Needle[] = [];
  #held: Buffer = Buffer.alloc(0);

  /** `more`: values to hide besides, asked before each piece; a stream may last while others become known. */
  constructor(
    values: Iterable<string>,
    maskOf: MaskOf = () => '***',
    more: () => Iterable<string> = () => [],
  ) {
    this.#maskOf = maskOf;
    this.#more = more;
    this.add(values);
  }

  /** More values to hide from now on. */
  add(values: Iterable<string>): void {
    const before = this.#forms.size;
    for (const value of values) {
      if (value === '' || this.#forms.get(value) === value) continue;
      this.#forms.set(value, value);
      for (const form of secretForms(value)) if (!this.#forms.has(form)) this.#forms.set(form, value);
    }
    if (this.#forms.size === before) return;
    // Longer ones first: a secret may begin with another.
    this.#needles = [...this.#forms]
      .map(([text, value]) => ({ bytes: Buffer.from(text), mask: Buffer.from(this.#maskOf(value)) }))
      .sort((a, b) => b.bytes.length - a.bytes.length);
  }

  /** What can be shown now; the beginning of a possible secret at the end is held back. */
  push(chunk: Buffer): Buffer {
    this.add(this.#more());
    if (this.#needles.length === 0) return chunk;
    const bytes = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    const { shown, rest } = this.#replace(bytes, this.#beginningsAtEnd(bytes));
    this.#held = Buffer.from(rest);
    return shown;
  }

  /** What was held back, at the end of the stream. */
  end(): Buffer {
    const { shown } = this.#replace(this.#held, []);
    this.#held = Buffer.alloc(0);
    return shown;
  }

  text(text: string): string {
    this.add(this.#more());
    return this.#needles.length === 0 ? text : this.#replace(Buffer.from(text), []).shown.toString();
  }

  /** `open`: where something begins that may become a secret, in order; from the first of them that counts nothing is shown. */
  #replace(bytes: Buffer, open: readonly number[]): { readonly shown: Buffer; readonly rest: Buffer } {
    const parts: Buffer[] = [];
    const hits = new Map<Needle, number>();
    for (let from = 0; ; ) {
      const hit = this.#firstHit(bytes, from, hits);
      const held = open.find((at) => at >= from) ?? null;
      if (hit === null || (held !== null && held <= hit.at)) {
        const end = held ?? bytes.length;
        parts.push(bytes.subarray(from, end));
        return {
          shown: parts.length === 1 ? (parts[0] ?? bytes) : Buffer.concat(parts),
          rest: bytes.subarray(end),
        };
      }
      parts.push(bytes.subarray(from, hit.at), hit.needle.mask);
      from = hit.at + hit.needle.bytes.length;
    }
  }

  /** `hits`: where each needle was found last, -1 when it was not; each place of the text is looked at once for each. */
  #firstHit(
    bytes: Buffer,
    from: number,
    hits: Map<Needle, number>,
  ): { readonly at: number; readonly needle: Needle } | null {
    let best: { at: number; needle: Needle } | null = null;
    for (const needle of this.#needles) {
      const known = hits.get(needle);
      const at =
        known === undefined || (known !== -1 && known < from) ? bytes.indexOf(needle.bytes, from) : known;
      if (at !== known) hits.set(needle, at);
      if (at !== -1 && (best === null || at < best.at)) best = { at, needle };
    }
    return best;
  }

  /** Where the rest of the bytes is the beginning of a secret, but not all of it. */
  #beginningsAtEnd(bytes: Buffer): number[] {
    const longest = Math.min(bytes.length, (this.#needles[0]?.bytes.length ?? 0) - 1);
    const firsts = new Set(this.#needles.map((needle) => needle.bytes[0]));
    const found: number[] = [];
    for (let at = bytes.length - longest; at < bytes.length; at += 1)
      if (firsts.has(bytes[at]) && this.#mayBegin(bytes.subarray(at))) found.push(at);
    return found;
  }

  #mayBegin(tail: Buffer): boolean {
    for (const { bytes } of this.#needles) {
      // They are in the order of their length: most are shorter.
      if (bytes.length <= tail.length) return false;
      if (bytes[0] === tail[0] && bytes.compare(tail, 0, tail.length, 0, tail.length) === 0) return true;
    }
    return false;
  }
}
