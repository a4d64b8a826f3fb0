import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, Config, Errors, flush, type Interfaces, run } from '@oclif/core';
import { EXIT } from '../errors/table.ts';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';
import { packageRoot } from '../protocol/install.ts';
import { showError } from './base-command.ts';
import { asksForHelp, WorkflowHelp } from './help.ts';
import { explainUnknown } from './unknown-command.ts';

/** Loads the module of a command, by its id (`workflow:run`). */
export type CommandLoaders = Readonly<Record<string, () => Promise<{ default: Command.Class }>>>;

/**
 * Runs one command line: `q workflow …`, or `q-workflow …` where the word workflow may be left out. The commands come
 * from `loaders`, which the build puts into the same file; as a plugin of another host oclif loads them itself.
 */
export async function runCli(loaders: CommandLoaders): Promise<void> {
  watchOutput();
  const [name = 'q-workflow', ...words] = process.argv.slice(2);
  const asked = helpLast(words);
  const argv = name === 'q' ? asked : withTopic(asked);
  try {
    const root = packageRoot();
    // With our own package.json at hand oclif searches for none.
    const pjson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Interfaces.PJSON;
    pjson.oclif.bin = name;
    // They are for other hosts; loading them would cost each command.
    pjson.oclif.hooks = {};
    const config = await Config.load({ root, pjson });
    const [id, rest] = commandOf(config, argv);
    if (id === null) {
      await unknownCommand(config, argv);
      return;
    }
    loadFrom(loaders, config, id);
    if (config.findCommand(id) !== undefined && asksForHelp(rest)) {
      await new WorkflowHelp(config, pjson.oclif.helpOptions).showHelp([id, '--help']);
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

/** Nobody sees a stack of ours, and an output that fails is told where there is another one. oclif's listener throws. */
function watchOutput(): void {
  process.stdout.prependListener('error', (error: NodeJS.ErrnoException) => {
    // A reader that goes away early (head, less) is no failure of ours.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.COMPLETED);
    showError(new WorkflowError('OUTPUT_FAILED', `the output was not written: ${error.message}`), false);
    process.exit(process.exitCode || EXIT.UNREACHABLE);
  });
  // There is no place left to tell it; the run and our exit status are not touched when a terminal or pager is closed.
  process.stderr.on('error', () => undefined);
  process.on('uncaughtException', (error) => {
    showError(new WorkflowError('INTERNAL', error.message, { cause: error }), false);
    process.exit(EXIT.BUG);
  });
}

function loadFrom(loaders: CommandLoaders, config: Config, id: string): void {
  const command = config.findCommand(id);
  const load = loaders[id];
  if (command === undefined || load === undefined) return;
  command.load = async () =>
    Object.assign((await load()).default, { id, plugin: config.plugins.get(config.name) });
}

/** `q-workflow run x` means `workflow run x`, and its help is that of the topic; other flags stand for themselves. */
function withTopic(words: readonly string[]): string[] {
  const [first = '--help'] = words;
  const isOwn = first === 'workflow' || (first.startsWith('-') && !['--help', '-h'].includes(first));
  return isOwn ? [...words] : ['workflow', ...words];
}

/**
 * `help run`, `help workflow run` and `workflow help run` are the command with `--help`, `workflow --version` is the command
 * for it.
 */
function helpLast(argv: readonly string[]): string[] {
  const [first, second, ...rest] = argv;
  if (first === 'workflow' && (second === '--version' || second === '-v')) return [first, 'version', ...rest];
  if (first === 'help') return [...argv.slice(1), '--help'];
  return first === 'workflow' && second === 'help' ? [first, ...rest, '--help'] : [...argv];
}

const HELP_FLAGS = ['--help', '-h', '--version', '-v'];
/** oclif knows the short forms only behind a command. */
const LONG: Readonly<Record<string, string>> = { '-h': '--help', '-v': '--version' };

/** The longest command that the leading words spell, and what follows it. Help and version are oclif's own. */
function commandOf(config: Config, argv: readonly string[]): [id: string | null, rest: string[]] {
  const words = argv.findIndex((word) => word.startsWith('-'));
  const leading = words === -1 ? argv.length : words;
  for (let count = Math.min(3, leading); count > 0; count -= 1) {
    const id = argv.slice(0, count).join(':');
    if (config.findCommand(id) !== undefined) return [id, argv.slice(count)];
  }
  const [first = '--help'] = argv;
  if (HELP_FLAGS.includes(first)) return [LONG[first] ?? first, argv.slice(1)];
  const isTopic = leading > 0 && config.findTopic(argv.slice(0, leading).join(':')) !== undefined;
  if (isTopic && argv.slice(leading).every((word) => HELP_FLAGS.includes(word)))
    return [first, argv.slice(1)];
  return [null, []];
}

/** As the host named q, what is not of the topic workflow goes on to another q where there is one. */
async function unknownCommand(config: Config, argv: readonly string[]): Promise<void> {
  const [first = '-'] = argv;
  if (config.bin === 'q' && first !== 'workflow' && !first.startsWith('-')) {
    const { passOn } = await import('./plugin/pass-on.ts');
    const status = await passOn(argv, [join(config.root, 'bin', 'q')]);
    if (status !== null) {
      process.exitCode = status;
      return;
    }
  }
  const { message, hint } = explainUnknown(
    argv,
    config.commandIDs.map((id) => id.replaceAll(':', ' ')),
  );
  process.exitCode = EXIT.USAGE;
  showError(new WorkflowError('USAGE', message, { hint }), argv.includes('--json'));
}
