import type { SimpleCommand } from '../../command/reading.ts';
import { type CommandFile, many } from '../files/policy-file.ts';
import { aliasesOf, mayBeArgument, mayHaveOption, synonyms } from './command-words.ts';
import { grammarOf, likelyNames, programName, sureName } from './program.ts';
import { bringsCode, RUNNERS } from './runners.ts';
import { fitsGlob, fitsGlobFolded } from './text-glob.ts';

/** A command pattern in one form. */
export interface CommandPattern {
  readonly programs: readonly string[];
  /** Alternatives, each a row of words. */
  readonly subcommands: readonly (readonly string[])[];
  /** The same for guards: `git push --force` are words and, anywhere, options with what stands behind them. */
  readonly guarded: readonly GuardedWords[];
  readonly args: readonly string[];
  readonly any: readonly string[];
  readonly all: readonly string[];
  readonly none: readonly string[];
  readonly mayRunCode: boolean;
}

interface GuardedWords {
  readonly words: readonly string[];
  readonly options: readonly string[];
}

function guardedWords(words: readonly string[]): GuardedWords {
  const start = words.findIndex((word) => word.startsWith('-'));
  const first = start === -1 ? words : words.slice(0, start);
  // `git push *` is also `git push` alone.
  const end = first.findLastIndex((word) => word !== '*') + 1;
  return { words: first.slice(0, end), options: start === -1 ? [] : words.slice(start) };
}

export function commandPattern(file: CommandFile): CommandPattern {
  const plain = { args: [], any: [], all: [], none: [], mayRunCode: false, guarded: [] };
  if (typeof file === 'string') {
    const [program = '', ...words] = wordsOf(file);
    const subcommands = words.length === 0 ? [] : [words];
    return { ...plain, programs: [program], subcommands, guarded: subcommands.map(guardedWords) };
  }
  const { args } = file;
  const isPlain = args === undefined || typeof args === 'string' || isList(args);
  return {
    programs: many(file.program),
    subcommands: many(file.subcommand).map(wordsOf),
    guarded: many(file.subcommand).map((words) => guardedWords(wordsOf(words))),
    args: isPlain ? many(args) : [],
    any: isPlain ? [] : many(args.any),
    all: isPlain ? [] : many(args.all),
    none: isPlain ? [] : many(args.none),
    mayRunCode: file.code ?? false,
  };
}

function isList(args: object): args is readonly string[] {
  return Array.isArray(args);
}

function wordsOf(text: string): readonly string[] {
  return text.trim().split(/\s+/);
}

const MAX_CACHED = 256;
const spoken = new WeakMap<readonly CommandPattern[], Map<string, readonly CommandPattern[]>>();

/** Those of many patterns that may speak of a program, by whatever name: a rule has dozens, and one or none is left. */
export function patternsFor(patterns: readonly CommandPattern[], program: string): readonly CommandPattern[] {
  const known = cached(patterns);
  let found = known.get(program);
  if (found === undefined) {
    const names = likelyNames(program);
    const isJoined = names.some((name) => name.includes('-'));
    found = patterns.filter((pattern) => isJoined || isLikelyProgram(pattern, program, names));
    known.set(program, found);
  }
  return found;
}

function cached(patterns: readonly CommandPattern[]): Map<string, readonly CommandPattern[]> {
  const known = spoken.get(patterns);
  if (known !== undefined && known.size < MAX_CACHED) return known;
  const empty = new Map<string, readonly CommandPattern[]>();
  spoken.set(patterns, empty);
  return empty;
}

function isLikelyProgram({ programs }: CommandPattern, program: string, names: readonly string[]): boolean {
  return programs.some((each) => {
    const wanted = programName(each);
    return names.some((name) => fitsGlobFolded(wanted, name)) || fitsGlobFolded(each, program);
  });
}

/** Whether a command may be one that the pattern guards against: any doubt counts as yes. */
export function mayBeCommand(pattern: CommandPattern, command: SimpleCommand): boolean {
  const { program } = command;
  if (program === null) return false;
  const names = likelyNames(program);
  const rests = isLikelyProgram(pattern, program, names)
    ? restsBehind(pattern, command, names)
    : joinedRests(pattern, command, names);
  return rests.some((rest) => mayHaveArgs(pattern, rest, names));
}

/** `git-push` and `/usr/lib/git-core/git-push` are `git push`. */
function joinedRests(
  pattern: CommandPattern,
  { args }: SimpleCommand,
  names: readonly string[],
): readonly (readonly (string | null)[])[] {
  const isJoined = pattern.programs.some((program) =>
    pattern.guarded.some(({ words }) =>
      names.some((name) => fitsGlobFolded(`${program}-${words.join('-')}`, name)),
    ),
  );
  return isJoined ? [args] : [];
}

type Words = readonly (string | null)[];

/** What may follow the subcommand, for each way to read the words before it; none when it can't be this one. */
function restsBehind(
  pattern: CommandPattern,
  { args }: SimpleCommand,
  names: readonly string[],
): readonly Words[] {
  if (pattern.guarded.length === 0) return [args];
  const grammar = names.map(grammarOf).find((each) => each !== null) ?? null;
  const fits = (wanted: string, word: string): boolean =>
    fitsGlobFolded(wanted, word) ||
    names.some((name) => aliasesOf(name, wanted).includes(word.toLowerCase())) ||
    (grammar?.isShortened === true && word.length > 1 && wanted.toLowerCase().startsWith(word.toLowerCase()));
  const way = { withValue: grammar?.withValue ?? NONE, fits, depth: 0 };
  return pattern.guarded.flatMap(({ words, options }) => {
    if (!options.every((option, index) => mayHaveOption(option, options[index - 1], args, names))) return [];
    // Without subcommands of its own a program takes its operands in any order.
    const found =
      grammar === null && words.length > 0 ? restsAnywhere(words, args, fits) : rests(words, args, way);
    const behind = names.some((name) => CONTAINERS.has(name)) ? behindNoun(args) : null;
    return behind === null ? found : [...found, ...rests(words, behind, way)];
  });
}

const CONTAINERS: ReadonlySet<string> = new Set(['docker', 'podman', 'nerdctl']);

/** `docker container run` is `docker run`, `docker image push` is `docker push`. */
function behindNoun(args: Words): Words | null {
  const index = args.findIndex((arg) => arg === null || !arg.startsWith('-'));
  return args[index] === 'container' || args[index] === 'image' ? args.slice(index + 1) : null;
}

function restsAnywhere(wanted: readonly string[], args: Words, fits: Way['fits']): readonly Words[] {
  let next = 0;
  for (const [index, arg] of args.entries()) {
    if (arg === null) return [args.slice(index)];
    if (fits(wanted[next] ?? '', arg)) next++;
    if (next === wanted.length) return [args.slice(index + 1)];
  }
  return [];
}

interface Way {
  readonly withValue: ReadonlySet<string>;
  readonly fits: (wanted: string, word: string) => boolean;
  /** Options read so far whose next word may be their value. */
  readonly depth: number;
}

const NONE: ReadonlySet<string> = new Set();
/** Behind more options than that any word may be the subcommand. */
const MAX_DEPTH = 64;

function rests(wanted: readonly string[], words: Words, way: Way): readonly Words[] {
  if (wanted.length === 0 || way.depth > MAX_DEPTH) return [words];
  for (let index = 0; index < words.length; index++) {
    const word = words[index];
    // Any words may stand here.
    if (word === null || word === undefined) return [words.slice(index)];
    if (!word.startsWith('-') || word === '-') return restsOfWord(wanted, words.slice(index), way);
    if (way.withValue.has(word)) {
      index++;
      continue;
    }
    const isWhole = word === '--' || word.includes('=');
    if (isWhole || !isValue(words[index + 1])) continue;
    // Who knows whether the next word is its value: both ways are read.
    return [
      ...rests(wanted, words.slice(index + 2), { ...way, depth: way.depth + 1 }),
      ...restsOfWord(wanted, words.slice(index + 1), way),
    ];
  }
  return [];
}

function isValue(word: string | null | undefined): boolean {
  return typeof word === 'string' && !word.startsWith('-');
}

function restsOfWord(
  [first = '', ...others]: readonly string[],
  [word, ...left]: Words,
  way: Way,
): readonly Words[] {
  if (word === null) return [left];
  return word !== undefined && way.fits(first, word) ? rests(others, left, way) : [];
}

function mayHaveArgs(pattern: CommandPattern, args: Words, names: readonly string[]): boolean {
  const isOpen = args.includes(null);
  const has = (wanted: string): boolean => {
    const same = [wanted, ...names.flatMap((name) => synonyms(name, wanted))];
    return isOpen || args.some((arg) => arg !== null && same.some((each) => mayBeArgument(each, arg)));
  };
  const any = [...pattern.args, ...pattern.any];
  return (
    (any.length === 0 || any.some(has)) &&
    pattern.all.every(has) &&
    // Only what is surely there takes a command out of a guard.
    !pattern.none.some((wanted) => args.some((arg) => arg !== null && fitsGlob(wanted, arg)))
  );
}

/** Whether somebody else asks if the folder that a command is told to work in is permitted: the path of the same rule. */
export type Places = 'judged' | 'open';

/** Whether a command surely is the one that the pattern permits, and nothing else. */
export function isSurelyCommand(pattern: CommandPattern, command: SimpleCommand, places: Places): boolean {
  const { program } = command;
  if (program === null) return false;
  const name = sureName(program);
  const isProgram = pattern.programs.some((each) =>
    each.includes('/') ? each === program : name !== null && fitsGlob(each, name),
  );
  if (!isProgram) return false;
  return sureRests(pattern, command.args, name ?? program, places).some(
    (rest) => hasSurely(pattern, rest) && isCodeSure(pattern, command, name ?? program, rest),
  );
}

function sureRests(pattern: CommandPattern, args: Words, name: string, places: Places): readonly Words[] {
  if (pattern.subcommands.length === 0) return [args];
  const words = behindHarmless(args, name, places);
  return pattern.subcommands
    .filter((wanted) =>
      wanted.every((each, index) => typeof words[index] === 'string' && fitsGlob(each, words[index])),
    )
    .map((wanted) => words.slice(wanted.length));
}

/** What stands behind global options that change nothing; `git -C sub` names a folder, which counts as read. */
function behindHarmless(args: Words, name: string, places: Places): Words {
  const harmless = grammarOf(name)?.harmless;
  let at = 0;
  for (let arg = args[at]; typeof arg === 'string'; arg = args[at]) {
    if (harmless?.has(arg) === true) at += 1;
    else if (arg === '-C' && name === 'git' && places === 'judged') at += 2;
    else break;
  }
  return args.slice(at);
}

function hasSurely(pattern: CommandPattern, args: Words): boolean {
  const { any, all, none } = pattern;
  if (pattern.args.length + any.length + all.length + none.length === 0) return true;
  if (args.includes(null)) return false;
  const fits = (wanted: string): boolean => args.some((arg) => arg !== null && fitsGlob(wanted, arg));
  return (
    (pattern.args.length === 0 ||
      args.every((arg) => arg !== null && pattern.args.some((wanted) => fitsGlob(wanted, arg)))) &&
    (any.length === 0 || any.some(fits)) &&
    all.every(fits) &&
    !none.some((wanted) => args.some((arg) => arg !== null && mayBeArgument(wanted, arg)))
  );
}

/** A program that takes code from its arguments is permitted with the flag, or with every argument written out. */
function isCodeSure(pattern: CommandPattern, command: SimpleCommand, name: string, rest: Words): boolean {
  if (!command.runsCode || pattern.mayRunCode) return true;
  const isWritten = pattern.args.length > 0 && !pattern.args.includes('*');
  if (RUNNERS.has(name)) return isWritten || !bringsCode(name, rest);
  return isWritten || (rest.length === 0 && pattern.subcommands.length > 0);
}
