import { operandsOf } from '../effects/operands.ts';
import { isLongOption, scanOptions } from '../options.ts';
import type { Argument } from '../reading.ts';
import {
  CODE,
  hazard,
  joined,
  merge,
  NOTHING,
  problem,
  type Run,
  runs,
  type Unwrap,
  type Unwrapped,
} from './unwrapped.ts';

/** The words of a git command line, apart from the options in front of the subcommand. */
export interface GitLine {
  /** Null: known only at run time, or none. */
  readonly subcommand: Argument;
  readonly args: readonly Argument[];
  readonly doubt: string | null;
  /** `-C`, joined; undefined: none. */
  readonly directory: Argument | undefined;
  readonly settings: readonly Argument[];
  readonly places: readonly string[];
}

const GLOBAL = {
  flags: 'pPvh',
  values: 'Cc',
  long: [
    'exec-path?',
    'html-path',
    'man-path',
    'info-path',
    'paginate',
    'no-pager',
    'git-dir=',
    'work-tree=',
    'namespace=',
    'super-prefix=',
    'bare',
    'no-replace-objects',
    'no-lazy-fetch',
    'literal-pathspecs',
    'glob-pathspecs',
    'noglob-pathspecs',
    'icase-pathspecs',
    'no-optional-locks',
    'no-advice',
    'list-cmds=',
    'attr-source=',
    'config-env=',
    'version',
    'help',
  ],
};

export function readGit(args: readonly Argument[]): GitLine {
  const { options, rest, doubt } = scanOptions(args, GLOBAL);
  const values = (name: string) =>
    options.filter((option) => option.name === name).map(({ value }) => value ?? null);
  const moves = values('-C');
  return {
    subcommand: args[rest] ?? null,
    args: args.slice(rest + 1),
    doubt,
    directory: moves.length === 0 ? undefined : moves.includes(null) ? null : moves.reduce(step),
    settings: [...values('-c'), ...values('--config-env').map(() => null)],
    places: ['--exec-path', '--git-dir', '--work-tree'].filter((name) =>
      options.some((option) => option.name === name && option.value !== undefined),
    ),
  };
}

function step(from: Argument, to: Argument): Argument {
  return to?.startsWith('/') === true ? to : `${from ?? ''}/${to ?? ''}`;
}

/** Settings that change what is shown or who is named, and nothing that runs. */
const PLAIN_SETTING =
  /^(?:user\.(?:name|email)|color\..*|advice\..*|core\.(?:quotepath|autocrlf|eol|abbrev|ignorecase|filemode)|init\.defaultbranch|commit\.gpgsign|tag\.gpgsign|log\.\w+|diff\.(?:renames|algorithm|noprefix|context)|pull\.(?:rebase|ff)|merge\.ff|column\..*|gc\.auto|safe\.directory)$/i;
/** Settings that hold a command. */
const COMMAND_SETTING =
  /^(?:alias\..*|core\.(?:pager|editor|sshcommand|fsmonitor|askpass|gitproxy|alternaterefscommand)|pager\..*|sequence\.editor|diff\.external|diff\..*\.(?:command|textconv)|difftool\..*\.cmd|mergetool\..*\.cmd|merge\..*\.driver|filter\..*\.(?:clean|smudge|process)|credential\.(?:.*\.)?helper|gpg\.(?:.*\.)?program|web\.browser|browser\..*\.cmd|uploadpack\.packobjectshook|remote\..*\.(?:uploadpack|receivepack|vcs)|trailer\..*\.(?:cmd|command)|interactive\.difffilter|sendemail\..*cmd|man\..*\.cmd)$/i;

function setting(text: Argument): Unwrapped {
  if (text === null) return problem('git takes a setting that is known only at run time');
  const equals = text.indexOf('=');
  const key = equals === -1 ? text : text.slice(0, equals);
  const value = equals === -1 ? '' : text.slice(equals + 1);
  if (PLAIN_SETTING.test(key)) return NOTHING;
  const note = hazard(`git -c ${key} changes what git does`);
  if (!COMMAND_SETTING.test(key) && !value.startsWith('!')) return note;
  const via = `git -c ${key}`;
  // An alias without `!` is further words of git.
  if (/^alias\./i.test(key) && !value.startsWith('!'))
    return merge(note, runs({ via, text: `git ${value}`, dialect: 'sh' }));
  return merge(note, runs({ via, text: value.replace(/^!/, ''), dialect: 'sh' }));
}

interface Runners {
  readonly long?: readonly string[];
  readonly short?: string;
}

/** Options of subcommands whose value is a command. */
const RUNNERS: Readonly<Record<string, Runners>> = {
  clone: { long: ['upload-pack'], short: 'u' },
  fetch: { long: ['upload-pack'] },
  pull: { long: ['upload-pack'] },
  push: { long: ['receive-pack', 'exec'] },
  'ls-remote': { long: ['upload-pack', 'exec'] },
  'send-email': { long: ['sendmail-cmd', 'to-cmd', 'cc-cmd', 'header-cmd'] },
  archive: { long: ['exec'] },
  'fetch-pack': { long: ['upload-pack', 'exec'] },
  'send-pack': { long: ['receive-pack', 'exec'] },
  rebase: { long: ['exec'], short: 'x' },
  difftool: { long: ['extcmd'], short: 'x' },
  grep: { long: ['open-files-in-pager'], short: 'O' },
  'filter-branch': {
    long: [
      'env-filter',
      'tree-filter',
      'index-filter',
      'parent-filter',
      'msg-filter',
      'commit-filter',
      'tag-name-filter',
      'setup',
    ],
  },
  log: { long: ['ext-diff'] },
  show: { long: ['ext-diff'] },
  diff: { long: ['ext-diff'] },
  config: {},
};

/** Runs what files or other machines say, or starts a server, an editor or a tool of the configuration. */
const CODE_SUBCOMMANDS = new Set([
  'difftool',
  'mergetool',
  'instaweb',
  'daemon',
  'shell',
  'hook',
  'send-email',
  'gui',
  'citool',
  'p4',
  'svn',
  'cvsimport',
  'maintenance',
  'web--browse',
]);

/** What runs by the arguments of git: settings, options that name programs, `bisect run`, `submodule foreach`. */
export const unwrapGit: Unwrap = (args) => {
  const line = readGit(args);
  const { subcommand } = line;
  const notes: Unwrapped[] = line.settings.map(setting);
  if (line.doubt !== null) notes.push(problem(`git: ${line.doubt}`));
  for (const place of line.places) notes.push(hazard(`git ${place} makes git use other files`));
  for (const arg of line.args) {
    const remote = arg?.replace(/^--[\w-]+=/, '') ?? '';
    if (/^(?:ext|fd)::/.test(remote)) notes.push(transport(remote));
  }
  if (subcommand === null) return merge(...notes);
  if (subcommand === 'clone') notes.push(...cloneSettings(line.args));
  if (CODE_SUBCOMMANDS.has(subcommand)) notes.push(CODE);
  notes.push(optionRuns(subcommand, line.args), wordRuns(subcommand, line.args));
  return merge(...notes);
};

/** `git clone -c KEY=VALUE` counts while it clones. */
function cloneSettings(args: readonly Argument[]): Unwrapped[] {
  const { options } = operandsOf(args, 'cbuoj', ['config', 'branch', 'origin', 'upload-pack']);
  return options
    .filter(({ name }) => name === '-c' || name === '--config')
    .map(({ value }) => setting(value));
}

/** `ext::COMMAND` as a remote. */
function transport(remote: string): Unwrapped {
  const text = remote.startsWith('ext::') ? remote.slice(5).replaceAll('%%', '%') : null;
  return merge(
    problem(`git runs a command as the remote ${remote}`),
    runs({ via: 'git ext::', text, dialect: 'sh' }),
  );
}

function optionRuns(subcommand: string, args: readonly Argument[]): Unwrapped {
  const spec = RUNNERS[subcommand];
  if (spec === undefined) return NOTHING;
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  const found: Run[] = [];
  options.forEach((word, index) => {
    const long = spec.long?.find((name) => word !== null && isLongOption(word, name));
    const short =
      word !== null && /^-[^-]/.test(word)
        ? (spec.short ?? '').split('').find((it) => word.includes(it))
        : undefined;
    if (word === null || (long === undefined && short === undefined)) return;
    if (long === 'ext-diff') return;
    const attached =
      long === undefined ? word.slice(word.indexOf(short ?? '') + 1) : word.split('=').slice(1).join('=');
    const hasOwn = long === undefined ? attached !== '' : word.includes('=');
    const text = hasOwn ? attached : (options[index + 1] ?? null);
    found.push({
      via: `git ${subcommand} ${long === undefined ? `-${short}` : `--${long}`}`,
      text,
      dialect: 'sh',
    });
  });
  const extDiff = options.some(
    (word) => word !== null && spec.long?.includes('ext-diff') && isLongOption(word, 'ext-diff'),
  );
  return merge(
    runs(...found),
    extDiff ? CODE : NOTHING,
    options.includes(null)
      ? hazard(`git ${subcommand} takes a word that may be an option which runs a command`)
      : NOTHING,
  );
}

function wordRuns(subcommand: string, args: readonly Argument[]): Unwrapped {
  const [action, ...words] = args;
  if (subcommand === 'bisect' && action === 'run') return runs({ via: 'git bisect run', words });
  if (subcommand === 'for-each-repo') {
    const start = args.findIndex((word) => word !== null && !word.startsWith('-'));
    return start === -1
      ? NOTHING
      : runs({ via: 'git for-each-repo', words: ['git', ...args.slice(start)], directory: null });
  }
  if (subcommand === 'submodule') {
    const start = args.indexOf('foreach');
    if (start === -1) return NOTHING;
    const rest = args.slice(start + 1);
    const text = rest.filter((word) => word !== '--recursive' && word !== '-q' && word !== '--quiet');
    return runs({ via: 'git submodule foreach', text: joined(text), dialect: 'sh', directory: null });
  }
  if (subcommand === 'config') {
    const isWrite = args.filter((word) => word === null || !word.startsWith('-')).length > 1;
    const isCommand = args.some(
      (word) => word !== null && (COMMAND_SETTING.test(word) || word.startsWith('!')),
    );
    return isWrite && isCommand ? hazard('git config sets a command that git runs later') : NOTHING;
  }
  return NOTHING;
}
