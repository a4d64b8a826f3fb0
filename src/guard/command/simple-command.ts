import type { Collector, Frame } from './collector.ts';
import { effectsOf } from './effects/effects.ts';
import { judgePassed } from './environment.ts';
import { changeDirectory, type Places, pathsFrom } from './places.ts';
import { tableName } from './program-name.ts';
import { type Argument, type Assignment, LIMITS } from './reading.ts';
import { unwrap } from './wrappers/unwrap.ts';
import type { Run } from './wrappers/unwrapped.ts';

type ReadText = (collector: Collector, frame: Omit<Frame, 'source'>, source: string) => void;

export interface Origin {
  /** The source of the command, for people. */
  readonly text: string;
  readonly assignments: readonly Assignment[];
  /** See SimpleCommand; missing: nobody looked. */
  readonly areWordsWhole?: boolean;
  /** Reads shell text; passed in, because reading text ends in reading words again. */
  readonly readText: ReadText;
}

const MOVES = new Set(['cd', 'chdir', 'pushd', 'popd']);

/** Lists the command that these words are, and all that it would run in turn. */
export function readWords(
  collector: Collector,
  frame: Frame,
  words: readonly Argument[],
  origin: Origin,
): void {
  if (frame.depth > LIMITS.depth) {
    collector.problem(`nested deeper than ${LIMITS.depth}`);
    return;
  }
  if (collector.isFull) return;
  if (words.length > LIMITS.words) {
    collector.problem(`a command of more than ${LIMITS.words} words`);
    return;
  }
  const [program = null, ...args] = words;
  if (program === null) collector.problem(`a program is known only at run time: ${shorten(origin.text)}`);
  const name = program === null ? null : tableName(program);
  const found = name === null ? null : unwrap(name, args);
  const effects = effectsOf(name, args);
  for (const assignment of origin.assignments) {
    const hazard = judgePassed(assignment.name);
    if (hazard !== null) collector.hazard(hazard);
  }
  const { assignments, text, areWordsWhole = !args.includes(null) } = origin;
  const { wrappers, isNested } = frame;
  const runsCode = found?.runsCode === true;
  if (
    !collector.command(frame, {
      program,
      args,
      areWordsWhole,
      assignments,
      wrappers,
      text,
      isNested,
      runsCode,
      ...effects,
    })
  )
    return;
  if (name !== null && MOVES.has(name)) move(collector, frame, name, args);
  for (const message of found?.problems ?? []) collector.problem(message);
  for (const message of found?.hazards ?? []) collector.hazard(message);
  for (const variable of found?.sets ?? []) {
    collector.arithmetic.assign(variable, null);
    collector.variables.assign(variable, null);
  }
  if (name !== null && NAMING.has(name)) noteNamed(collector, name, args);
  for (const run of found?.runs ?? []) readRun(collector, frame, run, origin.readText);
}

/** Builtins that set variables by words which are no assignments for the parser: `declare "d=/etc"`. */
const NAMING = new Set(['declare', 'typeset', 'local', 'readonly', 'export', 'printf']);

function noteNamed(collector: Collector, name: string, args: readonly Argument[]): void {
  const words = name === 'printf' ? args.slice(0, 1) : args;
  // To give a constant a value is an error, which drops what else stands on its line.
  const isConstant = name === 'readonly' || words.some((word) => /^-\w*r/.test(word ?? ''));
  if (words.includes(null) || (isConstant && name !== 'printf')) collector.variables.openAll();
  for (const word of words) {
    const variable = /^[A-Za-z_]\w*/.exec(word ?? '')?.[0];
    if (variable !== undefined && name !== 'printf') collector.variables.assign(variable, null);
  }
}

function readRun(collector: Collector, outer: Frame, run: Run, readText: ReadText): void {
  const frame: Frame = {
    ...outer,
    depth: outer.depth + 1,
    wrappers: [...outer.wrappers, run.via],
    isNested: true,
    isFloating: outer.isFloating || ('isFloating' in run && run.isFloating === true),
    places: placesOf(outer.places, run.directory),
    // It is another shell, or text that is read at another time.
    known: undefined,
    isOuter: false,
    surelySet: new Set(),
  };
  if ('words' in run)
    readWords(collector, frame, run.words, {
      text: run.words.map((word) => word ?? '…').join(' '),
      assignments: run.assignments ?? [],
      readText,
    });
  else if (run.text === null) collector.problem(`${run.via} runs text that is known only at run time`);
  else readText(collector, { ...frame, dialect: run.dialect }, run.text);
}

function placesOf(places: Places, directory: Argument | undefined): Places {
  return directory === undefined ? places : { list: pathsFrom(places.list, directory) };
}

function move(collector: Collector, frame: Frame, name: string, args: readonly Argument[]): void {
  collector.moved(frame);
  const operands = args.filter((arg) => arg === null || !/^-[LPe@n]+$|^--$/.test(arg));
  const [target = null] = operands;
  const isStatic =
    target !== null && operands.length === 1 && name !== 'popd' && !/^(?:-|[-+]\d*)$/.test(target);
  // `cd ''` stays where it is.
  changeDirectory(frame.places, isStatic ? target || '.' : null);
}

function shorten(text: string): string {
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}
