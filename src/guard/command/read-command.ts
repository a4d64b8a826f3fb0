import { Collector, type Frame } from './collector.ts';
import type { Known } from './known.ts';
import { START } from './places.ts';
import { type PossibleRun, possibleRuns } from './possible.ts';
import { type CommandReading, LIMITS, type SimpleCommand } from './reading.ts';
import { readWords } from './simple-command.ts';
import { readText } from './syntax.ts';
import { isStillKnown, type KnownVariables } from './variables.ts';

/** The names that a pattern (`src/*.ts`) stands for in a folder, given from where the whole command starts. */
export type FileNames = Known['files'];

/**
 * What a bash command would run and open, by its text alone, and by `files` where a pattern stands for some: nothing is
 * run. Total: whatever the text, it returns, in time bounded by the limits; what can't be read surely is a problem.
 */
export function readCommand(source: string, files: FileNames = () => null): CommandReading {
  const first = gather((collector) => readText(collector, topFrame(), source));
  const found = filledIn(source, first, files) ?? first;
  return { ...found.reading, possible: possibleCommands(found.reading.commands, source) };
}

/** Values of a loop over a pattern are known in the second round, what is done with them in the third. */
const MAX_FILLED = 3;

/**
 * The same with what variables and patterns stand for, each time with what the reading before found. Null where that
 * says no more, or where something makes the first reading doubtful.
 */
function filledIn(source: string, first: Gathered, allFiles: FileNames): Gathered | null {
  let { variables } = first;
  if (variables.size === 0 && !/[*?]/.test(source)) return null;
  const files = mayStopPatterns(first.reading.commands) ? () => null : allFiles;
  for (let round = 0; round < MAX_FILLED; round++) {
    const known = { variables, files, isLost: first.isLost };
    const next = gather((collector) => readText(collector, { ...topFrame(), known }, source));
    if (!isStillKnown(variables, next.variables)) return null;
    const { problems, hazards } = next.reading;
    if (next.variables.size === variables.size) return problems.length + hazards.length > 0 ? null : next;
    ({ variables } = next);
  }
  return null;
}

/** `set -f`: from there on a pattern is a name. */
function mayStopPatterns(commands: readonly SimpleCommand[]): boolean {
  return commands.some(
    ({ program, args }) => program === 'set' && args.some((arg) => /^-\w*f|^noglob$/.test(arg ?? '')),
  );
}

/** The same for a program that is started without a shell. */
export function readArgv(argv: readonly string[]): CommandReading {
  const { reading } = gather((collector) => {
    if (argv.some((word) => word.includes('\0'))) collector.problem('a word holds a NUL character');
    if (argv.reduce((sum, word) => sum + word.length + 1, 0) > LIMITS.sourceBytes)
      collector.problem(`the command is longer than ${LIMITS.sourceBytes} bytes`);
    else if (argv.length > 0)
      readWords(collector, { ...topFrame(), source: '' }, argv, {
        text: argv.join(' '),
        assignments: [],
        readText,
      });
  });
  return { ...reading, possible: possibleCommands(reading.commands, '') };
}

/** As deep as it is worth: a container that starts Python that starts a shell. */
const MAX_ROUNDS = 3;

function possibleCommands(commands: readonly SimpleCommand[], source: string): readonly SimpleCommand[] {
  const all: SimpleCommand[] = [];
  let open = commands;
  for (let round = 0; round < MAX_ROUNDS && open.length > 0; round++) {
    open = possibleRuns(open, round === 0 ? source : '').flatMap(commandsOf);
    all.push(...open);
  }
  return all;
}

/** By a collector of its own: what these words would do wrong is no doubt about the command that was read. */
function commandsOf(run: PossibleRun): readonly SimpleCommand[] {
  const { text, words } = run;
  return gather((collector) => {
    if (text !== undefined) readText(collector, topFrame(), text);
    else
      readWords(collector, { ...topFrame(), source: '' }, words, {
        text: words.join(' '),
        assignments: [],
        readText,
      });
  }).reading.commands;
}

interface Gathered {
  readonly reading: Omit<CommandReading, 'possible'>;
  readonly variables: KnownVariables;
  readonly isLost: Known['isLost'];
}

function gather(read: (collector: Collector) => void): Gathered {
  const collector = new Collector();
  try {
    read(collector);
  } catch (error) {
    // A bug of ours or of the parser must not become a way around the policy.
    collector.problem(`the reader failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return {
    reading: collector.finish(),
    variables: collector.variables.known(collector.arithmetic.used),
    isLost: (isFloating) => collector.isLost(isFloating),
  };
}

function topFrame(): Omit<Frame, 'source'> {
  return {
    depth: 0,
    wrappers: [],
    isNested: false,
    isFloating: false,
    dialect: 'bash',
    places: { list: START },
    surelySet: new Set(),
    isOuter: true,
  };
}
