import { LIMITS } from './reading.ts';

/** Each level of nesting costs its length again. */
const MAX_LENGTH = 512;
/** Anything that bash would expand or unquote within the braces; then the words aren't static. */
const NOT_PLAIN = /['"\\$`*?[\]~!()<>\s]/;
const RANGE = /^(-?\d{1,6})\.\.(-?\d{1,6})$/;

/** The texts that a brace expansion (`{a,b}`, `{1..3}`, nested) stands for, or null when they aren't static. */
export function expandBraces(text: string): string[] | null {
  if (text.length > MAX_LENGTH || NOT_PLAIN.test(text)) return null;
  const body = text.slice(1, -1);
  const range = RANGE.exec(body);
  if (range !== null) return countedRange(Number(range[1]), Number(range[2]), body);
  const pieces = splitAtCommas(body);
  if (pieces === null || pieces.length < 2) return null;
  const words: string[] = [];
  for (const piece of pieces) {
    const expanded = expandPiece(piece);
    if (expanded === null || words.length + expanded.length > LIMITS.braceWords) return null;
    words.push(...expanded);
  }
  return words;
}

/** Leading zeros pad all numbers: left to the shell. */
function countedRange(from: number, to: number, body: string): string[] | null {
  if (/(?:^|\.)-?0\d/.test(body) || Math.abs(to - from) >= LIMITS.braceWords) return null;
  const step = from <= to ? 1 : -1;
  return Array.from({ length: Math.abs(to - from) + 1 }, (_, index) => String(from + index * step));
}

function splitAtCommas(body: string): string[] | null {
  const pieces: string[] = [];
  let depth = 0;
  let start = 0;
  for (let index = 0; index < body.length; index++) {
    const character = body[index];
    if (character === '{') depth++;
    else if (character === '}' && --depth < 0) return null;
    else if (character === ',' && depth === 0) {
      pieces.push(body.slice(start, index));
      start = index + 1;
    }
  }
  return depth === 0 ? [...pieces, body.slice(start)] : null;
}

function expandPiece(piece: string): string[] | null {
  const open = piece.indexOf('{');
  if (open === -1) return [piece];
  const close = piece.lastIndexOf('}');
  const before = piece.slice(0, open);
  const after = piece.slice(close + 1);
  // Two groups side by side within one piece are rare: left to the shell.
  const inner = piece.slice(open, close + 1);
  if (/\}[^{]*\{/.test(inner)) return null;
  const words = expandBraces(inner);
  return words === null ? null : words.map((word) => before + word + after);
}
