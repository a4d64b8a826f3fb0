import type { Argument } from '../reading.ts';
import { readGit } from '../wrappers/git.ts';
import { type Effects, NO_EFFECT, operandsOf, UNKNOWN_EFFECT } from './operands.ts';

/** Read the repository alone, unless an option says otherwise. */
const READERS = new Set([
  'status',
  'log',
  'diff',
  'show',
  'blame',
  'annotate',
  'rev-parse',
  'rev-list',
  'describe',
  'ls-files',
  'ls-tree',
  'cat-file',
  'shortlog',
  'name-rev',
  'merge-base',
  'for-each-ref',
  'show-ref',
  'count-objects',
  'version',
  'help',
  'whatchanged',
  'cherry',
  'range-diff',
]);

/** The paths that a git command line names; most others change what the repository says, which isn't known here. */
export function gitEffects(args: readonly Argument[]): Effects {
  const line = readGit(args);
  const within = (paths: readonly Argument[]) => paths.map((path) => from(line.directory, path));
  const { operands, options } = operandsOf(line.args, 'ofF', ['output', 'file', 'output-directory']);
  const valuesOf = (...names: string[]) =>
    within(options.filter(({ name }) => names.includes(name)).map(({ value }) => value));
  const isStatic = !line.args.includes(null) && line.directory !== null;
  const { subcommand } = line;
  if (subcommand === null) return UNKNOWN_EFFECT;
  if (READERS.has(subcommand)) {
    const outputs = valuesOf('--output');
    // `git diff --no-index a b` reads any two files.
    const reads = line.args.includes('--no-index') ? within(operands) : [];
    return outputs.length === 0 && reads.length === 0 && isStatic
      ? NO_EFFECT
      : { reads, writes: outputs, isEffectKnown: isStatic };
  }
  switch (subcommand) {
    case 'add':
    case 'stage':
      return { reads: within(operands), writes: [], isEffectKnown: isStatic };
    case 'rm':
    case 'mv':
    case 'restore':
    case 'clean':
      return { reads: [], writes: operands.length === 0 ? [null] : within(operands), isEffectKnown: false };
    case 'checkout': {
      const end = line.args.indexOf('--');
      return { reads: [], writes: end === -1 ? [] : within(line.args.slice(end + 1)), isEffectKnown: false };
    }
    case 'config':
      return {
        reads: [],
        writes: configFiles(line.args, valuesOf('-f', '--file'), within),
        isEffectKnown: true,
      };
    case 'init':
    case 'clone':
      return {
        reads: [],
        writes: subcommand === 'init' ? within(operands.slice(0, 1)) : within(operands.slice(1, 2)),
        isEffectKnown: false,
      };
    case 'archive':
    case 'format-patch':
    case 'bundle':
      return { reads: [], writes: valuesOf('-o', '--output', '--output-directory'), isEffectKnown: false };
    default:
      return UNKNOWN_EFFECT;
  }
}

const CONFIG_READS = /^(?:--get(?:-all|-regexp|-urlmatch)?|--list|-l|get|list)$/;

function configFiles(
  args: readonly Argument[],
  named: readonly Argument[],
  within: (paths: readonly Argument[]) => readonly Argument[],
): readonly Argument[] {
  const words = args.filter((arg) => arg === null || !arg.startsWith('-'));
  if (args.some((arg) => arg !== null && CONFIG_READS.test(arg)) || words.length < 2) return [];
  if (named.length > 0) return named;
  return args.some((arg) => arg === null || arg === '--global' || arg === '--system')
    ? [null]
    : within(['.git/config']);
}

function from(directory: Argument | undefined, path: Argument): Argument {
  if (directory === undefined || path === null || path.startsWith('/')) return path;
  return directory === null ? null : `${directory}/${path}`;
}
