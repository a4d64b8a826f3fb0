import {
  type AndOr,
  type Command,
  type CommandArgument,
  forEachChild,
  type ParsedScript,
  type PipelineNode,
  parse,
  type SyntaxNode,
  type Word,
} from 'unbash';
import { strangeCharacter } from './characters.ts';
import type { Collector, Frame } from './collector.ts';
import { effectsOf } from './effects/effects.ts';
import { isGapless, isOrderly } from './gaps.ts';
import { type Filling, fillingsOf } from './known.ts';
import { isOfText } from './lent-variables.ts';
import { isWhole, note, noteBash, noteNames } from './notes.ts';
import { tableName } from './program-name.ts';
import { type Argument, type Assignment, LIMITS } from './reading.ts';
import { readWords } from './simple-command.ts';
import { singleValue, wordValues } from './words.ts';
import { mayRunOthers, unwrap } from './wrappers/unwrap.ts';

/** Reads shell text into the collector: every command in it, in every position. */
export function readText(collector: Collector, frame: Omit<Frame, 'source'>, source: string): void {
  // Also for text within text: `eval` may be given more than the whole command had.
  if (Buffer.byteLength(source) > LIMITS.sourceBytes) {
    collector.problem(`the command is longer than ${LIMITS.sourceBytes} bytes`);
    return;
  }
  collector.parsing(source.length);
  if (collector.isFull) return;
  const strange = strangeCharacter(source);
  if (strange !== null) collector.problem(`a shell and a person may read it differently: ${strange}`);
  if (source.includes('$['))
    collector.problem('$[ begins arithmetic of an old kind, or is quoted text like it');
  visitScript(collector, { ...frame, source }, parse(source));
}

function visitScript(collector: Collector, frame: Frame, script: ParsedScript): void {
  for (const error of script.errors ?? []) collector.problem(`not readable as shell: ${error.message}`);
  // An escaped backtick owns its text: positions below point into that.
  const inner = script.source === undefined ? frame : { ...frame, source: script.source };
  if (!isOrderly(inner.source, script)) collector.problem('not readable as shell: a stray separator');
  let isReached = true;
  let end = 0;
  for (const statement of script.commands) {
    // An error of arithmetic or of a constant drops what stands behind it on its line, and the shell goes on.
    isReached ||= inner.source.slice(end, statement.pos).includes('\n');
    ({ end } = statement);
    visit(collector, isReached ? inner : { ...inner, isOuter: false }, statement);
    isReached &&= isFailproof(statement);
  }
}

/** Assignments of plain text alone; a constant is none of the names that are known (see Variables). */
function isFailproof({ command }: ParsedScript['commands'][number]): boolean {
  return (
    command.type === 'Command' &&
    command.name === undefined &&
    command.prefix.every(
      (part) =>
        part.type === 'Assignment' &&
        part.value.type === 'Word' &&
        /^[a-z]/.test(part.name) &&
        singleValue(part.value) !== null,
    )
  );
}

function visit(collector: Collector, frame: Frame, node: SyntaxNode): void {
  if (frame.depth > LIMITS.depth) {
    collector.problem(`nested deeper than ${LIMITS.depth}`);
    return;
  }
  if (PARSED_LATER.has(node.type)) collector.parsing(node.end - node.pos);
  if (collector.isFull) return;
  const below = frameBelow(frame, node);
  if (node.type === 'Script') visitScript(collector, below, node);
  else if (node.type === 'Command') visitCommand(collector, frame, node);
  else if (node.type === 'Function') visitFunction(collector, below, node);
  else {
    note(collector, frame, node);
    if (!isOrderly(frame.source, node)) collector.problem('not readable as shell: a stray separator');
    if (node.type === 'AndOr') visitChain(collector, below, node);
    else forEachChild(node, (child) => visit(collector, below, child));
  }
}

/** The builtin itself: in `nohup cd a` or `sh -c 'cd a'` it moves another process. `pushd -n a` moves nothing. */
function isMove(node: PipelineNode): boolean {
  return node.type === 'Command' && node.name?.parts === undefined && node.name?.value === 'cd';
}

/** What stands behind `cd a &&` runs in `a`, or not at all; behind the chain the shell may be anywhere that it was. */
function visitChain(collector: Collector, frame: Frame, { commands, operators }: AndOr): void {
  const { places } = frame;
  const all = new Set(places.list);
  let isSure = true;
  for (const [index, command] of commands.entries()) {
    places.entered = [];
    visit(collector, frame, command);
    for (const place of places.list) all.add(place);
    isSure &&= operators[index] === '&&';
    const { entered } = places;
    if (isSure && isMove(command) && entered.length > 0)
      places.list = entered.length > LIMITS.directories ? [null] : entered;
    else if (!isSure) places.list = [...all];
  }
  places.list = all.size === 1 ? places.list : all.size > LIMITS.directories ? [null] : [...all];
}

/** The parser looks into these only when asked for their parts. */
const PARSED_LATER: ReadonlySet<SyntaxNode['type']> = new Set([
  'CommandExpansion',
  'ProcessSubstitution',
  'ArithmeticExpansion',
  'ArithmeticCommandExpansion',
  'ParameterExpansion',
  'DoubleQuoted',
  'HereDocBody',
]);

function frameBelow(frame: Frame, node: SyntaxNode): Frame {
  switch (node.type) {
    // They add no level that a hostile text could pile up.
    case 'Word':
    case 'DoubleQuoted':
      return frame;
    case 'Statement':
      return node.background === true ? { ...frame, isOuter: false } : frame;
    case 'CompoundList':
    case 'AndOr':
    case 'Pipeline':
      return { ...frame, isOuter: false };
    case 'Script':
    case 'Coproc':
      return { ...frame, depth: frame.depth + 1, isOuter: false, isNested: true };
    case 'For':
      return {
        ...frame,
        depth: frame.depth + 1,
        isOuter: false,
        isFloating: true,
        surelySet: new Set([...frame.surelySet, node.name.text]),
      };
    case 'Select':
    case 'While':
    case 'ArithmeticFor':
      return { ...frame, depth: frame.depth + 1, isOuter: false, isFloating: true };
    case 'Function':
      return { ...frame, depth: frame.depth + 1, isOuter: false, isNested: true, isFloating: true };
    default:
      return { ...frame, depth: frame.depth + 1, isOuter: false };
  }
}

function visitCommand(collector: Collector, frame: Frame, node: Command): void {
  forEachChild(node, (child) => {
    // Most words are plain: nothing to look for within.
    if (child.type !== 'Word' || child.parts !== undefined) visit(collector, frame, child);
  });
  if (!isGapless(frame.source, node)) collector.problem('not readable as shell: a stray character');
  if (node.name === undefined) {
    // `d=src` as a statement of its own: set from here on.
    if (frame.isOuter && !/\$\(\(|\$\[|\$\{/.test(frame.source.slice(node.pos, node.end)))
      for (const part of node.prefix) if (part.type === 'Assignment') frame.surelySet.add(part.name);
    return;
  }
  const text = frame.source.slice(node.pos, node.end);
  const all = [node.name, ...node.suffix.filter((part) => part.type === 'Word')];
  for (const filling of fillingsOf(frame, all)) {
    const words = filledWords(collector, frame, node, node.name, filling);
    noteNames(collector, words, node.suffix);
    const areWordsWhole =
      !words.includes(null) ||
      node.suffix.every(
        (part) =>
          part.type !== 'Word' ||
          !wordValues(part, filling).includes(null) ||
          (isWhole(part) && isOfText(part, collector, frame)),
      );
    readWords(collector, frame, words, {
      text,
      assignments: assignmentsOf(node),
      areWordsWhole,
      readText,
    });
  }
}

/**
 * The words of a command with its patterns filled in, where all words are paths to its program: of any other, a name that
 * is made meanwhile might be a subcommand or an option.
 */
function filledWords(
  collector: Collector,
  frame: Frame,
  node: Command,
  program: Word,
  filling: Filling,
): readonly Argument[] {
  const names: string[] = [];
  const given = new Map<string, readonly string[]>();
  const files = (pattern: string): readonly string[] | null => {
    const found = name !== null && mayTakeNames(name, pattern) ? filling.files(pattern) : null;
    // They would be options, by what else is there and in which order.
    if (found?.some((path) => path.startsWith('-')) === true) return null;
    if (found !== null) given.set(pattern, found);
    names.push(...(found ?? []));
    return found;
  };
  const [first = null, ...others] = wordValues(program, { ...filling, files: () => null });
  const name = first === null ? null : tableName(first);
  const args = [...others, ...argumentsOf(node, { ...filling, files })];
  if (name === null || names.length === 0) return [first, ...args];
  const { reads, writes, isEffectKnown } = effectsOf(name, args);
  const isAlike = SPARE_PLACES.every((place) => {
    const spared = { ...filling, files: (pattern: string) => place(given.get(pattern) ?? []) };
    const other = effectsOf(name, [...others, ...argumentsOf(node, spared)]);
    return isSame(other.reads, reads) && isSame(other.writes, writes);
  });
  if (!isEffectKnown || !isAlike || unwrap(name, args).runs.length > 0)
    return [first, ...others, ...argumentsOf(node, { ...filling, files: () => null })];
  // `echo /etc/*` looks there, too.
  const touched = new Set([...reads, ...writes]);
  for (const path of names) if (!touched.has(path)) collector.redirect(frame, { path, mode: 'read' });
  return [first, ...args];
}

const SPARE = '\u0001';

/** One more name, at either end: bash sorts them by the language, so none may mean more than the others (`cp s/*`). */
const SPARE_PLACES: readonly ((names: readonly string[]) => readonly string[])[] = [
  (names) => [`./${SPARE}`, ...names],
  (names) => [...names, `./${SPARE}`],
];

function isSame(spared: readonly Argument[], plain: readonly Argument[]): boolean {
  const rest = new Set(spared.filter((path) => path?.includes(SPARE) !== true));
  const all = new Set(plain);
  return rest.size === all.size && [...rest].every((path) => all.has(path));
}

function argumentsOf(node: Command, filling: Filling): Argument[] {
  return node.suffix.flatMap((part): readonly Argument[] => {
    if (part.type === 'Word') return wordValues(part, filling);
    return part.type === 'Assignment' ? [assignmentWord(part)] : [];
  });
}

/** `*` may one day be `--compress-program=x`: not for programs with options that run something. */
function mayTakeNames(name: string, pattern: string): boolean {
  return !/^[*?]/.test(pattern) || !mayRunOthers(name);
}

function assignmentsOf(node: Command): Assignment[] {
  return node.prefix.flatMap((part) =>
    part.type === 'Assignment'
      ? [{ name: part.name, value: part.value.type === 'Word' ? singleValue(part.value) : null }]
      : [],
  );
}

/** `declare x=1`: for the program an argument like any other. */
function assignmentWord(node: Exclude<CommandArgument, Word>): Argument {
  const value = node.value.type === 'Word' ? singleValue(node.value) : null;
  if (value === null || node.index !== undefined) return null;
  return `${node.name}${node.append === true ? '+' : ''}=${value}`;
}

function visitFunction(collector: Collector, frame: Frame, node: SyntaxNode & { type: 'Function' }): void {
  const name = singleValue(node.name);
  if (name === null) collector.problem('a function has a name that is not static');
  else collector.defineFunction(name);
  const keyword = frame.source.slice(node.pos, node.name.pos);
  if (keyword !== '') noteBash(collector, frame, 'function');
  if (!/^(?:function\s+)?$/.test(keyword)) collector.problem('not readable as shell: a stray character');
  visit(collector, frame, node.body);
}
