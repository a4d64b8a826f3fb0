import type { Json } from '../definition/workflow.ts';

/** Texts from outside before they reach a model, the journal or a screen. */

/** What of a tool's result a model is told. */
export const MAX_RESULT_BYTES = 64 * 1024;
const HEAD_SHARE = 0.75;

/** CSI, OSC and the other sequences a terminal acts on; then what is left of their introducers. */
const ESCAPES =
  /\u001b\][\s\S]*?(?:\u0007|\u001b\\|$)|\u001b[PX^_][\s\S]*?(?:\u001b\\|$)|[\u001b\u009b][[\]()#;?]*(?:\d{1,4}(?:[;:]\d{0,4})*)?[\dA-PR-TZcf-nq-uy=><~]|\u001b/g;
/** Control characters but tab and line feed. */
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g;
/** What hides text from people: tag characters, direction overrides, blanks without width. Joiners are part of scripts. */
const INVISIBLE = /[\u{e0000}-\u{e0fff}\u200b\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\ufff9-\ufffb]/gu;

/** The text without what acts on a terminal and what no person would see. CR LF becomes LF. */
export function cleanText(text: string): string {
  return text
    .replace(/\r\n/g, '\n')
    .replace(ESCAPES, '')
    .replace(CONTROLS, '')
    .replace(INVISIBLE, '')
    .toWellFormed();
}

/**
 * At most `maxBytes` of UTF-8: the beginning and the end, with a line between them that says what is missing. `totalBytes`
 * of a text that was longer before.
 */
export function capText(text: string, maxBytes: number = MAX_RESULT_BYTES, totalBytes = 0): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  const head = Math.floor(maxBytes * HEAD_SHARE);
  const tail = maxBytes - head;
  const left = Math.max(bytes.length, totalBytes) - maxBytes;
  return `${decode(bytes.subarray(0, head))}\n[… ${left} bytes left out …]\n${decode(bytes.subarray(bytes.length - tail))}`;
}

/** The value with every text in it masked, names of fields as well. */
export function maskJson(value: Json, mask: (text: string) => string): Json {
  if (typeof value === 'string') return mask(value);
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => maskJson(item, mask));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [mask(key), maskJson(item, mask)]));
}

/** A character cut in two is dropped. */
function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).replace(/^\ufffd+|\ufffd+$/g, '');
}
