import { Collector, type Frame } from './collector.ts';
import { START } from './places.ts';
import { type PossibleRun, possibleRuns } from './possible.ts';
import { type CommandReading, LIMITS, type SimpleCommand } from './reading.ts';
import { readWords } from './simple-command.ts';
import { readText } from './syntax.ts';

/**
 * What a bash command would run and open, by its text alone: no file is read, nothing is run. Total: whatever the
 * text, it returns, in time bounded by the limits; what can't be read surely is a problem.
 */
export function readCommand(source: string): CommandReading {
  return reading(source, (collector) => readText(collector, topFrame(), source));
}

/** The same for a program that is started without a shell. */
export function readArgv(argv: readonly string[]): CommandReading {
  return reading('', (collector) => {
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
}

function reading(source: string, read: (collector: Collector) => void): CommandReading {
  const found = gather(read);
  return { ...found, possible: possibleCommands(found.commands, source) };
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
  }).commands;
}

function gather(read: (collector: Collector) => void): ReturnType<Collector['finish']> {
  const collector = new Collector();
  try {
    read(collector);
  } catch (error) {
    // A bug of ours or of the parser must not become a way around the policy.
    collector.problem(`the reader failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  return collector.finish();
}

function topFrame(): Omit<Frame, 'source'> {
  return {
    depth: 0,
    wrappers: [],
    isNested: false,
    isFloating: false,
    dialect: 'bash',
    places: { list: START },
  };
}
