import { didYouMean, nearest } from '../errors/nearest.ts';
import { ExpressionError } from './expression-error.ts';
import { bareNames, NAMES_ROOT, RESERVED_WORDS, ROOTS, type Scope } from './scope.ts';

/** The text that the CEL parser reads, and the way from its offsets back to those of the source. */
export interface Rewritten {
  readonly text: string;
  readonly sourceOffset: (offset: number) => number;
}

interface Edit {
  readonly from: number;
  readonly to: number;
  readonly text: string;
}

const RUN = /[A-Za-z0-9_]+(?:-+[A-Za-z0-9_]+)*/y;
const NUMBER = /(?:0[xX][0-9a-fA-F]+|[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)[uU]?(?![A-Za-z0-9_-])/y;
const SPACE = /\s/;

/**
 * Makes declared step ids readable for CEL: `fetch-data.status` becomes `steps["fetch-data"].status`. Ids may hold
 * hyphens, begin with a digit or be reserved words. Strings, comments, fields after a dot and function names stay
 * as they are. Context and input names win over a step id of the same spelling, as in evaluation.
 */
export function rewrite(source: string, scope: Scope): Rewritten {
  const edits: Edit[] = [];
  let position = 0;
  let previous = '';
  while (position < source.length) {
    const skipped = skipText(source, position);
    if (skipped !== position) {
      if (source[position] !== '/') previous = '"';
      position = skipped;
      continue;
    }
    const char = source[position] ?? '';
    const number = match(NUMBER, source, position);
    if (number !== '' && !scope.stepIds.has(number)) {
      position += number.length;
      previous = '0';
      continue;
    }
    const run = match(RUN, source, position);
    if (run === '') {
      if (!SPACE.test(char)) previous = char;
      position += 1;
      continue;
    }
    const word = wordAt(source, position, run, previous === '.', scope);
    if (word.replacement !== null) {
      edits.push({ from: position, to: position + word.length, text: word.replacement });
    }
    position += word.length;
    previous = 'a';
  }
  return apply(source, edits);
}

/** The end of the string or comment that begins at `position`, or `position` when none does. */
function skipText(source: string, position: number): number {
  if (source.startsWith('//', position)) {
    const end = source.indexOf('\n', position);
    return end === -1 ? source.length : end;
  }
  const isPrefixed = /[rRbB]/.test(source[position] ?? '') && /["']/.test(source[position + 1] ?? '');
  const start = isPrefixed ? position + 1 : position;
  const quote = source[start];
  if (quote !== '"' && quote !== "'") return position;
  const delimiter = source.startsWith(quote.repeat(3), start) ? quote.repeat(3) : quote;
  let end = start + delimiter.length;
  while (end < source.length && !source.startsWith(delimiter, end)) {
    // In raw strings too: the CEL parser steps over an escaped quote there.
    end += source[end] === '\\' ? 2 : 1;
  }
  return Math.min(end + delimiter.length, source.length);
}

interface Word {
  readonly length: number;
  readonly replacement: string | null;
}

function wordAt(source: string, position: number, found: string, isField: boolean, scope: Scope): Word {
  let run = found;
  // `a-r"x"`: the last letter is the prefix of a string, not part of a name.
  if (/-[rRbB]$/.test(run) && /["']/.test(source[position + run.length] ?? '')) run = run.slice(0, -2);
  const first = run.replace(/-.*$/, '');
  if (isField) return { length: first.length, replacement: null };
  if (first.startsWith('__')) fail(source, position, `names that begin with __ are not allowed: "${first}"`);
  const names = bareNames(scope);
  const isKnown = (name: string): boolean => names.has(name) || scope.stepIds.has(name);
  for (const name of beginningsOf(run)) {
    const next = /^-+([^-]+)/.exec(run.slice(name.length))?.[1];
    if (!isKnown(name) || (next !== undefined && !isKnown(next) && !/^[0-9]/.test(next))) continue;
    refuseAmbiguous(source, position, name, isKnown);
    const isCall = name === run && /^\s*\(/.test(source.slice(position + name.length));
    return { length: name.length, replacement: isCall ? null : replacementFor(name, scope) };
  }
  if (scope.areStepsOpen !== true && scope.areNamesOpen !== true)
    refuseMisspelled(source, position, run, [...scope.stepIds, ...names], isKnown);
  return { length: first.length, replacement: null };
}

/** `a-b-c`, `a-b`, `a`. */
function beginningsOf(run: string): readonly string[] {
  const ends = [...run.matchAll(/-+/g)].map((hyphens) => hyphens.index);
  return [run, ...ends.reverse().map((end) => run.slice(0, end))];
}

/** Without this, `fetch-dta` would be reported as the unknown name `fetch`. */
function refuseMisspelled(
  source: string,
  position: number,
  run: string,
  known: readonly string[],
  isKnown: (name: string) => boolean,
): void {
  const parts = run.split(/-+/);
  const isDifference = parts.every((part) => isKnown(part) || ROOTS.has(part) || /^[0-9]/.test(part));
  if (parts.length === 1 || isDifference) return;
  const suggestion = nearest(run, known);
  if (suggestion === undefined) return;
  const message = `unknown name "${run}"${didYouMean(suggestion)}`;
  throw new ExpressionError(message, position + 1, source, suggestion);
}

function replacementFor(name: string, scope: Scope): string | null {
  const isPlain = /^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !RESERVED_WORDS.has(name);
  if (bareNames(scope).has(name)) return isPlain ? null : `${NAMES_ROOT}[${JSON.stringify(name)}]`;
  return `steps[${JSON.stringify(name)}]`;
}

/** `a-b` is a step or a difference when all three names exist: a silent wrong answer, so nobody guesses. */
function refuseAmbiguous(
  source: string,
  position: number,
  name: string,
  isKnown: (name: string) => boolean,
): void {
  for (const hyphen of name.matchAll(/-/g)) {
    const left = name.slice(0, hyphen.index);
    const right = name.slice(hyphen.index + 1);
    if (!isKnown(left) || !isKnown(right)) continue;
    fail(
      source,
      position,
      `"${name}" may mean the name ${name} or ${left} minus ${right}: write "${left} - ${right}" with spaces for the difference, or steps["${name}"] for the step`,
    );
  }
}

function fail(source: string, position: number, message: string): never {
  throw new ExpressionError(message, position + 1, source);
}

function match(pattern: RegExp, source: string, position: number): string {
  pattern.lastIndex = position;
  return pattern.exec(source)?.[0] ?? '';
}

function apply(source: string, edits: readonly Edit[]): Rewritten {
  let text = '';
  let end = 0;
  /** Where each edit lies in the new text. */
  const places: { readonly at: number; readonly edit: Edit }[] = [];
  for (const edit of edits) {
    text += source.slice(end, edit.from);
    places.push({ at: text.length, edit });
    text += edit.text;
    end = edit.to;
  }
  text += source.slice(end);
  const sourceOffset = (offset: number): number => {
    let shift = 0;
    for (const { at, edit } of places) {
      if (offset < at) break;
      if (offset < at + edit.text.length) return edit.from;
      shift = edit.to - (at + edit.text.length);
    }
    return Math.min(offset + shift, source.length);
  };
  return { text, sourceOffset };
}
