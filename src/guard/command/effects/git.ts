import type { Argument } from '../reading.ts';
import { type GitLine, readGit } from '../wrappers/git.ts';
import { onlyLists } from './git-lists.ts';
import { type Effects, operandsOf, UNKNOWN_EFFECT } from './operands.ts';

/** Read the repository alone, unless an option says otherwise. */
export const READERS: ReadonlySet<string> = new Set([
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
  'check-ignore',
  'check-attr',
]);

/** Options whose value is a file that is read. */
const FILE_OPTIONS = [
  'contents',
  'ignore-revs-file',
  'exclude-from',
  'pathspec-from-file',
  'file',
  'template',
];
const READ_NAMES: ReadonlySet<string> = new Set([
  ...FILE_OPTIONS.map((name) => `--${name}`),
  '-O',
  '-X',
  '-F',
  '-t',
]);

/** The short options with a value, where they are not those of `log` and `diff`. */
const SHORT: Readonly<Record<string, string>> = {
  blame: 'SL',
  annotate: 'SL',
  'ls-files': 'xX',
  commit: 'mFtCc',
};
const COMMIT_TEXTS = ['message', 'author', 'date', 'trailer', 'cleanup', 'fixup', 'squash'];

/** The paths that a git command line names; most others change what the repository says, which isn't known here. */
export function gitEffects(args: readonly Argument[]): Effects {
  const line = readGit(args);
  const { subcommand } = line;
  if (subcommand === null) return UNKNOWN_EFFECT;
  const within = (paths: readonly Argument[]) => paths.map((path) => from(line.directory, path));
  const isStatic = !line.args.includes(null) && line.directory !== null;
  const here = within(line.directory === undefined ? [] : ['.']);
  if (READERS.has(subcommand) || subcommand === 'commit') return readEffects(line, within, isStatic);
  if (isStatic && onlyLists(subcommand, line.args)) return { reads: here, writes: [], isEffectKnown: true };
  const { operands, options } = operandsOf(line.args, 'ofF', [
    'output',
    'file',
    'output-directory',
    'template',
    'pathspec-from-file',
  ]);
  const valuesOf = (...names: string[]) =>
    within(options.filter(({ name }) => names.includes(name)).map(({ value }) => value));
  switch (subcommand) {
    case 'add':
    case 'stage':
      return {
        reads: [...here, ...within(operands), ...valuesOf('--pathspec-from-file')],
        writes: [],
        isEffectKnown: isStatic,
      };
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
        reads: here,
        writes: configFiles(line.args, valuesOf('-f', '--file'), within),
        isEffectKnown: true,
      };
    case 'init':
    case 'clone':
      return {
        reads: [],
        // A template brings hooks.
        writes: [
          ...within(subcommand === 'init' ? operands.slice(0, 1) : operands.slice(1, 2)),
          ...(valuesOf('--template').length > 0 ? within([hooksOf(subcommand, operands)]) : []),
        ],
        isEffectKnown: false,
      };
    case 'apply':
    case 'am':
      return { reads: within(operands), writes: [null], isEffectKnown: false };
    case 'archive':
    case 'format-patch':
    case 'bundle':
      return { reads: [], writes: valuesOf('-o', '--output', '--output-directory'), isEffectKnown: false };
    default:
      return UNKNOWN_EFFECT;
  }
}

/** What the repository or the working tree is asked for, and the files that options name. */
function readEffects(
  line: GitLine,
  within: (paths: readonly Argument[]) => readonly Argument[],
  isStatic: boolean,
): Effects {
  const name = line.subcommand ?? '';
  const isCommit = name === 'commit';
  const { operands, options } = operandsOf(line.args, SHORT[name] ?? 'SGLnO', [
    'output',
    ...FILE_OPTIONS,
    ...(isCommit ? COMMIT_TEXTS : []),
  ]);
  const isFile = (option: string): boolean =>
    READ_NAMES.has(option) || (option === '-S' && (name === 'blame' || name === 'annotate'));
  const files = options.filter((option) => isFile(option.name)).map(({ value }) => value);
  const traced =
    name === 'blame' || name === 'annotate' ? [] : options.filter((option) => option.name === '-L');
  return {
    // Two files out of a repository, too: `git diff a b`.
    reads: within([
      ...(line.directory === undefined ? [] : ['.']),
      ...operands.map(pathOf),
      ...files,
      ...traced.flatMap(fileOfLines),
    ]),
    writes: within(options.filter((option) => option.name === '--output').map(({ value }) => value)),
    isEffectKnown: isStatic,
  };
}

/** `HEAD:a`, `:0:a`, `:(top)a` and `a` may all be the file `a`. What is a commit is a path that is not there. */
function pathOf(operand: Argument): Argument {
  if (operand === null) return null;
  const path =
    /^:(?:\([^)]*\)|[!^/]+|[0-3]:)?(.*)$/s.exec(operand)?.[1] ??
    /^[^:]*:(.*)$/s.exec(operand)?.[1] ??
    operand;
  return path === '' ? '.' : path;
}

/** `-L 1,5:a`, `-L :function:a`, `-L /b:c/,+5:a`: which colon is the last of the range is not asked, any may be. */
function fileOfLines({ value }: { readonly value: Argument }): Argument[] {
  if (value === null) return [null];
  const parts = value.split(':').slice(1);
  return parts.map((_, index) => parts.slice(index).join(':'));
}

function hooksOf(subcommand: string, operands: readonly Argument[]): Argument {
  const [first = null, second = folderOf(first)] = operands;
  const folder = subcommand === 'init' ? (first ?? '.') : second;
  return folder === null ? null : `${folder}/.git/hooks`;
}

/** The folder that a clone makes when it is told none. */
function folderOf(repository: Argument): Argument {
  const path = repository?.replace(/(?:\/|\/?\.git|\.bundle)*$/, '') ?? '';
  return path.split(/[/:]/).at(-1) || null;
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
