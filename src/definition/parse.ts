import type { Problems } from './problems.ts';
import { locateSyntaxError } from './syntax-error.ts';

const MAX_BYTES = 5 * 1024 * 1024;
/** Objects and arrays within each other: 100 composites take some 200, the rest is for values. */
const MAX_NESTING = 500;

/** The JSON value of a text; undefined when there is none, with the reason among the problems. Never throws. */
export function parseText(text: string, problems: Problems): unknown {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_BYTES) {
    const size = (bytes / 1024 / 1024).toFixed(1);
    problems.error('$', `the file has ${size} MB (${bytes} bytes); a workflow has at most 5 MB`);
    return undefined;
  }
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const tooDeep = nestingBeyond(source, MAX_NESTING);
  if (tooDeep !== null) {
    const message = `objects and arrays are nested more than ${MAX_NESTING} deep (${place(source, tooDeep)})`;
    problems.error('$', message);
    return undefined;
  }
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const found = locateSyntaxError(source);
    problems.error('$', `not valid JSON: ${found.message} (${place(source, found.offset)})`);
    return undefined;
  }
}

/** The offset of the bracket that goes deeper than `limit`, or null. A count, so that no depth overflows a stack. */
function nestingBeyond(source: string, limit: number): number | null {
  let depth = 0;
  for (let index = 0; index < source.length; index++) {
    const char = source.charCodeAt(index);
    if (char === 0x22) index = endOfString(source, index);
    else if (char === 0x5b || char === 0x7b) {
      depth++;
      if (depth > limit) return index;
    } else if (char === 0x5d || char === 0x7d) depth--;
  }
  return null;
}

/** The offset of the quote that closes the string; the end of the text when none does. */
function endOfString(source: string, start: number): number {
  let index = start + 1;
  while (index < source.length) {
    const char = source.charCodeAt(index);
    if (char === 0x22) return index;
    index += char === 0x5c ? 2 : 1;
  }
  return source.length;
}

function place(source: string, offset: number): string {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`;
}
