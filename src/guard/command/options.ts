import type { Argument } from './reading.ts';

/** The options of a program, as far as they say where its operands begin. */
export interface OptionSpec {
  /** Short options without a value. */
  readonly flags?: string;
  /** Short options with a value, in the same word or the next. */
  readonly values?: string;
  /** Short options with a value in the same word only (`-i[REPLACE]`). */
  readonly optional?: string;
  /** Long options without `--`; `name=` takes a value, `name?` may take one after `=` only. */
  readonly long?: readonly string[];
  /** `-10` is an option. */
  readonly hasNumbers?: boolean;
}

export interface FoundOption {
  /** `-x` or `--name`, long names in full. */
  readonly name: string;
  readonly value: Argument | undefined;
}

export interface Scanned {
  readonly options: readonly FoundOption[];
  /** Index of the first operand. */
  readonly rest: number;
  /** What could not be read: an option that isn't known, a word that may be anything. */
  readonly doubt: string | null;
}

/**
 * The options in front of the first operand, as getopt reads them: clusters, values in the same or the next word,
 * unambiguous beginnings of long names, `--`. With a doubt, `rest` is a guess.
 */
export function scanOptions(args: readonly Argument[], spec: OptionSpec): Scanned {
  const options: FoundOption[] = [];
  let index = 0;
  while (index < args.length) {
    const word = args[index];
    if (word === null || word === undefined)
      return { options, rest: index, doubt: 'a word before the command is known only at run time' };
    if (word === '--') return { options, rest: index + 1, doubt: null };
    if (!word.startsWith('-') || word === '-') break;
    const step =
      word.startsWith('--') && word !== '--'
        ? readLong(word, args[index + 1], spec)
        : readCluster(word, args[index + 1], spec);
    if (step === null) return { options, rest: index + 1, doubt: `the option ${word} is not known` };
    options.push(...step.found);
    if (step.words === 2 && (args[index + 1] === null || args[index + 1] === undefined))
      return { options, rest: index + 2, doubt: `the value of ${word} is known only at run time` };
    index += step.words;
  }
  return { options, rest: index, doubt: null };
}

interface Step {
  readonly found: readonly FoundOption[];
  readonly words: 1 | 2;
}

function readLong(word: string, next: Argument | undefined, spec: OptionSpec): Step | null {
  const equals = word.indexOf('=');
  const given = word.slice(2, equals === -1 ? undefined : equals);
  const known = spec.long ?? [];
  const bare = (entry: string) => entry.replace(/[=?]$/, '');
  const exact = known.filter((entry) => bare(entry) === given);
  const matches = exact.length > 0 ? exact : known.filter((entry) => bare(entry).startsWith(given));
  const [match] = matches;
  // An ambiguous beginning is an error of the program; if all mean the same shape it does no harm to go on.
  if (match === undefined || new Set(matches.map((entry) => entry.at(-1) === '=')).size > 1) return null;
  const name = `--${bare(match)}`;
  if (equals !== -1) return { found: [{ name, value: word.slice(equals + 1) }], words: 1 };
  if (!match.endsWith('=')) return { found: [{ name, value: undefined }], words: 1 };
  return { found: [{ name, value: next }], words: 2 };
}

function readCluster(word: string, next: Argument | undefined, spec: OptionSpec): Step | null {
  if (spec.hasNumbers === true && /^-[-+]?\d+$/.test(word))
    return { found: [{ name: word, value: undefined }], words: 1 };
  const found: FoundOption[] = [];
  for (let index = 1; index < word.length; index++) {
    const letter = word[index] ?? '';
    const name = `-${letter}`;
    const attached = word.slice(index + 1);
    if (spec.flags?.includes(letter) === true) found.push({ name, value: undefined });
    else if (spec.optional?.includes(letter) === true)
      return { found: [...found, { name, value: attached === '' ? undefined : attached }], words: 1 };
    else if (spec.values?.includes(letter) === true)
      return attached === ''
        ? { found: [...found, { name, value: next }], words: 2 }
        : { found: [...found, { name, value: attached }], words: 1 };
    else return null;
  }
  return { found, words: 1 };
}

/** Whether the word is this long option or a beginning of it that getopt would take (`--to-com` for `to-command`). */
export function isLongOption(word: string, name: string): boolean {
  if (!word.startsWith('--') || word.length < 4) return false;
  const equals = word.indexOf('=');
  return name.startsWith(word.slice(2, equals === -1 ? undefined : equals));
}
