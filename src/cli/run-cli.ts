import { basename } from 'node:path';
import { Config, Errors, flush, run } from '@oclif/core';
import { EXIT } from '../errors/table.ts';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';
import { packageRoot } from '../protocol/install.ts';
import { showError } from './base-command.ts';
import { nearestWord } from './nearest-word.ts';

/** Runs one command line: `q workflow …`, or `q-workflow …` where the word workflow may be left out. */
export async function runCli(): Promise<void> {
  // A reader that goes away early (head, less) is no failure of ours.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.COMPLETED);
    throw error;
  });
  const [name = 'q-workflow', ...words] = process.argv.slice(2);
  const argv = name === 'q' ? words : withTopic(words);
  try {
    const config = await Config.load({ root: packageRoot() });
    const [id, rest] = commandOf(config, argv);
    if (id === null) {
      unknownCommand(config, argv);
      return;
    }
    await run([id, ...rest], config);
    await flush();
  } catch (thrown) {
    const error = ensureError(thrown);
    if (error instanceof Errors.ExitError && error.oclif.exit === 0) return;
    process.exitCode = EXIT.BUG;
    showError(new WorkflowError('INTERNAL', error.message, { cause: error }), argv.includes('--json'));
  }
}

/** `q-workflow run x` means `workflow run x`; help and version stand for themselves. */
function withTopic(words: readonly string[]): string[] {
  const [first] = words;
  if (first === undefined || first === 'workflow' || first.startsWith('-') || first === 'help')
    return [...words];
  return ['workflow', ...words];
}

/** The longest command that the leading words spell, and what follows it. Help and version are oclif's own. */
function commandOf(config: Config, argv: readonly string[]): [id: string | null, rest: string[]] {
  const words = argv.findIndex((word) => word.startsWith('-'));
  const leading = words === -1 ? argv.length : words;
  for (let count = Math.min(3, leading); count > 0; count -= 1) {
    const id = argv.slice(0, count).join(':');
    if (config.findCommand(id) !== undefined) return [id, argv.slice(count)];
  }
  const [first] = argv;
  const isTopic = leading > 0 && config.findTopic(argv.slice(0, leading).join(':')) !== undefined;
  if (first === undefined || first === 'help' || first.startsWith('-') || isTopic)
    return [first ?? '--help', argv.slice(1)];
  return [null, []];
}

function unknownCommand(config: Config, argv: readonly string[]): void {
  const given = argv.filter((word) => !word.startsWith('-')).slice(0, 2);
  const known = config.commandIDs.map((id) => id.replaceAll(':', ' '));
  const nearest = nearestWord(given.join(' '), known);
  process.exitCode = EXIT.USAGE;
  showError(
    new WorkflowError('USAGE', `${basename(given.join(' '))} is not a command`, {
      hint: nearest === null ? 'Run q workflow --help to see the commands.' : `Did you mean q ${nearest}?`,
    }),
    argv.includes('--json'),
  );
}
