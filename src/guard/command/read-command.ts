import { Collector, type Frame } from './collector.ts';
import { START } from './places.ts';
import { type CommandReading, LIMITS } from './reading.ts';
import { readWords } from './simple-command.ts';
import { readText } from './syntax.ts';

/**
 * What a bash command would run and open, by its text alone: no file is read, nothing is run. Total: whatever the
 * text, it returns, in time bounded by the limits; what can't be read surely is a problem.
 */
export function readCommand(source: string): CommandReading {
  return reading((collector) => readText(collector, topFrame(), source));
}

/** The same for a program that is started without a shell. */
export function readArgv(argv: readonly string[]): CommandReading {
  return reading((collector) => {
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

function reading(read: (collector: Collector) => void): CommandReading {
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
