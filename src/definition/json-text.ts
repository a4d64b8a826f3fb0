import type { Problem } from '../errors/workflow-error.ts';
import { append, jsonPath } from './json-path.ts';
import type { Json } from './workflow.ts';

export const MAX_FILE_BYTES = 5 * 1024 * 1024;
/** Levels of arrays and objects in each other: room for some 250 composites, two levels each. */
export const MAX_NESTING = 512;
const MAX_PROBLEMS = 20;

export interface ParsedText {
  /** Undefined when the text cannot be used at all. */
  readonly value: Json | undefined;
  readonly problems: readonly Problem[];
}

/**
 * Parses the text of a file. Refuses what JSON.parse would take silently: a key given twice (the first is lost), the
 * key `__proto__`, a number too large for a number (it would be stored as null), and nesting so deep that code which
 * walks the value would overflow the stack. Warns of a whole number that is rounded.
 */
export function parseJsonText(text: string): ParsedText {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_FILE_BYTES) {
    return refused(`the file has ${bytes} bytes, at most ${MAX_FILE_BYTES} (5 MB) are allowed`);
  }
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  const scan = scanJson(source);
  if (scan.tooDeepAt !== null) {
    const place = placeOf(source, scan.tooDeepAt);
    return refused(`arrays and objects are nested deeper than ${MAX_NESTING} levels (${place})`);
  }
  try {
    const value: Json = JSON.parse(source, scan.problems.some(isTooLarge) ? finite : undefined);
    return { value, problems: scan.problems };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return refused(syntaxMessage(source, error.message));
  }
}

const TOO_LARGE = 'is too large for a number';

function isTooLarge({ message }: Problem): boolean {
  return message.endsWith(TOO_LARGE);
}

/** So that the schema does not complain of a number that it was not given. */
function finite(_key: string, value: unknown): unknown {
  return value === Infinity ? Number.MAX_VALUE : value === -Infinity ? -Number.MAX_VALUE : value;
}

function refused(message: string): ParsedText {
  return { value: undefined, problems: [{ severity: 'error', path: '$', message }] };
}

function syntaxMessage(source: string, reason: string): string {
  if (source.trim() === '') return 'the file is empty; a JSON object belongs there';
  const found = /at position (\d+)/.exec(reason);
  const offset = found?.[1] === undefined ? offsetOfError(source) : Number(found[1]);
  const short = reason.replace(/,? ?(in JSON )?at position.*$/s, '').replace(/, (\.\.\.)?".*$/s, '');
  return `not valid JSON: ${habitOf(source, offset) ?? short} (${placeOf(source, offset)})`;
}

/** What is written in JSON by habit of other notations; null for other mistakes. */
function habitOf(source: string, offset: number): string | null {
  const found = source[offset];
  if (/^\/[/*]/.test(source.slice(offset, offset + 2)) || found === '#') return 'JSON has no comments';
  if ((found === ']' || found === '}') && /,\s*$/.test(source.slice(Math.max(0, offset - 200), offset)))
    return `a comma before ${found} is too much`;
  return found === "'" ? 'texts stand in double quotes' : null;
}

/**
 * V8 gives no position for some texts, it quotes them. The place is the end of the shortest beginning of the text
 * that is wrong, not just unfinished.
 */
function offsetOfError(source: string): number {
  let good = 0;
  let bad = source.length + 1;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isUnfinished(source.slice(0, middle))) good = middle;
    else bad = middle;
  }
  return good;
}

function isUnfinished(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const position = /at position (\d+)/.exec(error.message)?.[1];
    return /end of JSON input|Unterminated/.test(error.message) || Number(position) === text.length;
  }
}

function placeOf(source: string, offset: number): string {
  const before = source.slice(0, offset);
  const line = before.split('\n').length;
  return `line ${line}, column ${offset - before.lastIndexOf('\n')}`;
}

interface Scan {
  readonly tooDeepAt: number | null;
  readonly problems: readonly Problem[];
}

interface Level {
  /** Keys seen; null for an array. */
  readonly keys: Set<string> | null;
  segment: string | number;
}

/** One pass over the tokens. It trusts the text to be JSON: what it finds counts only when JSON.parse agrees. */
function scanJson(source: string): Scan {
  const levels: Level[] = [];
  const problems: Problem[] = [];
  // A number of fewer than four characters is always exact.
  const token = /"(?:[^"\\]|\\.)*"|[{}[\],:]|-?\d[\d.eE+-]{3,}/gs;
  let previous = '';
  for (let found = token.exec(source); found !== null; found = token.exec(source)) {
    const [text] = found;
    const level = levels.at(-1);
    if (text === '{' || text === '[') {
      if (levels.length >= MAX_NESTING) return { tooDeepAt: found.index, problems };
      levels.push({ keys: text === '{' ? new Set() : null, segment: text === '{' ? '' : 0 });
    } else if (text === '}' || text === ']') {
      levels.pop();
    } else if (text === ',' && typeof level?.segment === 'number') {
      level.segment += 1;
    } else if (text.startsWith('"') && level?.keys != null && (previous === '{' || previous === ',')) {
      noteKey(text, level, level.keys, levels, problems);
    } else if (/^[-\d]/.test(text)) {
      noteNumber(text, levels, problems);
    }
    previous = text;
  }
  return { tooDeepAt: null, problems };
}

function noteKey(
  text: string,
  level: Level,
  keys: Set<string>,
  levels: readonly Level[],
  problems: Problem[],
): void {
  const key = text.includes('\\') ? unescaped(text) : text.slice(1, -1);
  level.segment = key;
  const isTwice = keys.has(key);
  keys.add(key);
  if ((!isTwice && key !== '__proto__') || problems.length >= MAX_PROBLEMS) return;
  const parent = jsonPath(levels.slice(0, -1).map((outer) => outer.segment));
  const message = isTwice ? `the key "${key}" is given twice` : 'the key "__proto__" is not allowed';
  problems.push({ severity: 'error', path: append(parent, key), message });
}

function noteNumber(text: string, levels: readonly Level[], problems: Problem[]): void {
  const value = Number(text);
  const isRounded = isRoundedNumber(text);
  if ((Number.isFinite(value) && !isRounded) || problems.length >= MAX_PROBLEMS) return;
  const path = jsonPath(levels.map((level) => level.segment));
  const shown = text.length > 40 ? `${text.slice(0, 37)}…` : text;
  problems.push(
    isRounded
      ? { severity: 'warning', path, message: `${shown} is rounded to ${value}; write it as text to keep it` }
      : { severity: 'error', path, message: `${shown} ${TOO_LARGE}` },
  );
}

/** True for the text of a whole number that is another one as a number: beyond 2^53 not all are there. */
export function isRoundedNumber(text: string): boolean {
  const value = Number(text);
  return Number.isFinite(value) && /^-?\d+$/.test(text) && BigInt(text) !== BigInt(value);
}

function unescaped(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (error) {
    // JSON.parse of the whole text will report it.
    if (!(error instanceof SyntaxError)) throw error;
    return text;
  }
}
