import { scanOptions } from '../options.ts';
import type { Argument } from '../reading.ts';

/** What a sed command line would run and open, beside its operands. */
export interface SedReading {
  /** Texts of `e`; null: the input is the command. */
  readonly commands: readonly Argument[];
  readonly reads: readonly Argument[];
  readonly writes: readonly Argument[];
  readonly files: readonly Argument[];
  readonly isInPlace: boolean;
  /** Of `-i`: what the copy of the old file is called. A star is its name, a slash leads elsewhere. Empty: no copy. */
  readonly suffix: string;
  readonly isUnderstood: boolean;
}

interface Found {
  commands: Argument[];
  reads: Argument[];
  writes: Argument[];
}

const SED = {
  flags: 'nrEsuzb',
  values: 'efl',
  optional: 'i',
  long: [
    'quiet',
    'silent',
    'debug',
    'expression=',
    'file=',
    'in-place?',
    'line-length=',
    'posix',
    'regexp-extended',
    'separate',
    'sandbox',
    'unbuffered',
    'null-data',
    'zero-terminated',
    'follow-symlinks',
    'binary',
    'help',
    'version',
  ],
};

export function readSed(args: readonly Argument[]): SedReading {
  const found: Found = { commands: [], reads: [], writes: [] };
  const scripts: Argument[] = [];
  const operands: Argument[] = [];
  let [isInPlace, isUnderstood, isEnded] = [false, true, false];
  let suffix = '';
  // GNU sed takes options behind operands too.
  for (let rest = args; rest.length > 0; ) {
    const scanned = scanOptions(isEnded ? ['--', ...rest] : rest, SED);
    const start = isEnded ? 0 : scanned.rest;
    if (scanned.doubt !== null && rest[0] !== null) isUnderstood = false;
    for (const { name, value } of scanned.options) {
      if (name === '-e' || name === '--expression') scripts.push(value ?? null);
      if (name === '-f' || name === '--file') isUnderstood = false;
      if (name === '-i' || name === '--in-place') [isInPlace, suffix] = [true, value ?? suffix];
    }
    if (start > 0 && rest[start - 1] === '--') isEnded = true;
    operands.push(...rest.slice(start, start + 1));
    rest = rest.slice(start + 1);
  }
  const asks = args.length === 1 && (args[0] === '--help' || args[0] === '--version');
  if (scripts.length === 0 && !asks) scripts.push(operands.shift() ?? null);
  for (const script of scripts) if (script === null || !readScript(script, found)) isUnderstood = false;
  // A word known only at run time may be an option with a script.
  if (operands.includes(null) && !isEnded) isUnderstood = false;
  return { ...found, files: operands, isInPlace, suffix, isUnderstood };
}

/** Everything of addresses but regular expressions. */
const ADDRESS = /^(?:\d+(?:~\d+)?|\$|,\s*[+~]?|!|\s|[IM](?=[\s,!{}a-zA-Z=]))*/;
const TO_LINE_END = /^[^\n]*/;

/** Each command copies the rest of the script. */
const MAX_SCRIPT = 4096;

/** False when the script has something that this reader doesn't know. */
function readScript(script: string, found: Found): boolean {
  if (script.length > MAX_SCRIPT) return false;
  let text = script;
  while (text !== '') {
    text = text.replace(/^[\s;{}]+/, '');
    if (text.startsWith('#')) text = text.replace(TO_LINE_END, '');
    else if (text !== '') {
      const command = skipAddresses(text);
      const rest = command === null ? null : readOne(command, found);
      if (rest === null) return false;
      text = rest;
    }
  }
  return true;
}

function skipAddresses(script: string): string | null {
  let text = script.replace(ADDRESS, '');
  while (text.startsWith('/')) {
    const end = endOfPart(text, 1, '/');
    if (end === null) return null;
    text = text.slice(end + 1).replace(ADDRESS, '');
  }
  return text;
}

/** The rest behind one command, or null. */
function readOne(text: string, found: Found): string | null {
  const letter = text[0] ?? '';
  const rest = text.slice(1);
  const argument = (TO_LINE_END.exec(rest)?.[0] ?? '').trim();
  const behindLine = rest.replace(TO_LINE_END, '');
  if (letter === '' || '{};'.includes(letter)) return rest;
  if ('=dDgGhHnNpPxzF'.includes(letter)) return rest;
  if ('qQlL'.includes(letter)) return rest.replace(/^\s*\d*/, '');
  if ('btT:'.includes(letter)) return rest.replace(/^[^;\n}]*/, '');
  if (letter === 'e') {
    found.commands.push(argument === '' ? null : argument);
    return behindLine;
  }
  if (letter === 'r' || letter === 'R') {
    found.reads.push(argument);
    return behindLine;
  }
  if (letter === 'w' || letter === 'W') {
    found.writes.push(argument);
    return behindLine;
  }
  // Text goes on over lines that end in a backslash.
  if ('aic'.includes(letter)) return rest.replace(/^(?:\\\n|[^\n\\]|\\[^\n])*/, '');
  if (letter === 's' || letter === 'y') return readSubstitution(rest, letter, found);
  return null;
}

function readSubstitution(rest: string, letter: string, found: Found): string | null {
  const delimiter = rest[0] ?? '';
  if (delimiter === '' || delimiter === '\n' || delimiter === '\\') return null;
  const first = endOfPart(rest, 1, delimiter);
  const second = first === null ? null : endOfPart(rest, first + 1, delimiter);
  if (second === null) return null;
  if (letter === 'y') return rest.slice(second + 1);
  const behind = rest.slice(second + 1);
  const flags = /^[gpiIMm\d]*/.exec(behind)?.[0] ?? '';
  const after = behind.slice(flags.length);
  if (after.startsWith('e')) {
    found.commands.push(null);
    return after.slice(1);
  }
  if (!after.startsWith('w')) return /^[\s;}#]|^$/.test(after) ? after : null;
  found.writes.push((TO_LINE_END.exec(after.slice(1))?.[0] ?? '').trim());
  return after.replace(TO_LINE_END, '');
}

/** Where the part ends; null also where a bracket holds the delimiter, which kinds of sed read differently. */
function endOfPart(text: string, start: number, delimiter: string): number | null {
  for (let index = start; index < text.length; index++) {
    if (text[index] === '\\') index++;
    else if (text[index] === delimiter) {
      const part = text.slice(start, index).replaceAll(/\\./gs, '');
      const isOpen = part.lastIndexOf('[') > part.lastIndexOf(']');
      return isOpen ? null : index;
    }
  }
  return null;
}
