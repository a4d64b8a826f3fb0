import type { Argument } from '../reading.ts';

export interface Effects {
  readonly reads: readonly Argument[];
  readonly writes: readonly Argument[];
  readonly isEffectKnown: boolean;
}

export const UNKNOWN_EFFECT: Effects = { reads: [], writes: [], isEffectKnown: false };
export const NO_EFFECT: Effects = { reads: [], writes: [], isEffectKnown: true };

export interface Operands {
  readonly operands: readonly Argument[];
  readonly options: readonly { readonly name: string; readonly value: Argument }[];
  /** Values within options that nobody listed: `--from-file=a`, `-X/a`. They may be paths. */
  readonly hidden: readonly Argument[];
  /** A word in front of `--` is known only at run time and may be an option. */
  readonly mayHaveOptions: boolean;
}

/**
 * Operands and valued options of a program that lets them stand in any order. `values` are its short options with a
 * value, `long` its long ones; any other option is taken as a flag, so that a path is rather counted than missed.
 */
export function operandsOf(args: readonly Argument[], values = '', long: readonly string[] = []): Operands {
  const operands: Argument[] = [];
  const options: { name: string; value: Argument }[] = [];
  const hidden: Argument[] = [];
  let mayHaveOptions = false;
  for (let index = 0; index < args.length; index++) {
    const word = args[index] ?? null;
    if (word === '--') {
      operands.push(...args.slice(index + 1));
      break;
    }
    if (word === null) mayHaveOptions = true;
    if (word === null || word === '-' || !word.startsWith('-')) {
      operands.push(word);
      continue;
    }
    const option = valuedOption(word, values, long);
    if (option === null) {
      hidden.push(...hiddenIn(word));
      continue;
    }
    if (option.attached === null) index++;
    options.push({ name: option.name, value: option.attached ?? args[index] ?? null });
  }
  return { operands, options, hidden, mayHaveOptions };
}

function hiddenIn(word: string): string[] {
  const value = /^--[^=]+=(.+)$/s.exec(word)?.[1] ?? /^-[^-](.*[/.~].*)$/s.exec(word)?.[1];
  return value === undefined ? [] : [value];
}

function valuedOption(
  word: string,
  values: string,
  long: readonly string[],
): { name: string; attached: string | null } | null {
  if (word.startsWith('--')) {
    const equals = word.indexOf('=');
    const given = word.slice(2, equals === -1 ? undefined : equals);
    const name = long.find((entry) => entry === given) ?? long.find((entry) => entry.startsWith(given));
    if (name === undefined) return null;
    return { name: `--${name}`, attached: equals === -1 ? null : word.slice(equals + 1) };
  }
  for (let index = 1; index < word.length; index++) {
    const letter = word[index] ?? '';
    if (!values.includes(letter)) continue;
    const attached = word.slice(index + 1);
    return { name: `-${letter}`, attached: attached === '' ? null : attached };
  }
  return null;
}

/** `--binary` may be short for an option with a value, and a flag of its own: only the program knows. */
export function isAbbreviated(word: Argument, long: readonly string[] = []): boolean {
  if (word === null || !word.startsWith('--') || word.length === 2 || word.includes('=')) return false;
  const name = word.slice(2);
  return !long.includes(name) && long.some((entry) => entry.startsWith(name));
}

export function hasFlag(args: readonly Argument[], letter: string, long: string): boolean {
  return args.some(
    (arg) => arg !== null && ((/^-[A-Za-z0-9]+$/.test(arg) && arg.includes(letter)) || arg === `--${long}`),
  );
}
