import { NULL_DEVICE } from '../../../sandbox/kernel-paths.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import { readArgv, readCommand } from '../command/read-command.ts';
import type { CommandReading, Redirect, SimpleCommand } from '../command/reading.ts';
import type { Access } from '../tools.ts';
import type { PathReader } from './path-reader.ts';
import { programName } from './program.ts';
import type { Doubt, Part, PathUse } from './subject.ts';
import { type Destination, readHost, readUrl } from './url.ts';

interface Read {
  readonly parts: readonly Part[];
  readonly doubts: readonly Doubt[];
}

/** Reads a call of `execute_bash` or `exec`: one part for each program and each redirect. */
export function readShell(tool: 'execute_bash' | 'exec', args: JsonObject, paths: PathReader): Read {
  const cwd = args['cwd'];
  const start = typeof cwd === 'string' ? paths.resolve(cwd).real[0] : paths.cwd;
  const { reading, doubts } = tool === 'exec' ? readExec(args) : readBash(args);
  const all: Doubt[] = [
    ...doubts,
    ...reading.problems.map((text): Doubt => ({ kind: 'unread', text })),
    ...reading.hazards.map((text): Doubt => ({ kind: 'unread', text })),
  ];
  // Some start it in the home folder then, some in a folder of that name.
  const isOfHome = typeof cwd === 'string' && cwd.startsWith('~');
  if (start === undefined || isOfHome || (cwd !== undefined && typeof cwd !== 'string'))
    all.push({ kind: 'unread', text: 'its cwd cannot be read' });
  else if (start !== paths.workspace && !start.startsWith(`${paths.workspace}/`))
    all.push({ kind: 'careful', text: `it starts in ${start}, outside the workspace` });
  const base = start ?? paths.cwd;
  const parts = [
    ...reading.commands.map((command) => commandPart(command, reading, base, paths)),
    ...reading.redirects
      .filter((each) => each.path !== NULL_DEVICE)
      .map((each) => redirectPart(each, base, paths)),
  ];
  if (reading.commands.some((each) => each.program === null))
    all.push({ kind: 'unread', text: 'a program is only known when the command runs' });
  return { parts: parts.length > 0 ? parts : [emptyPart(tool)], doubts: all };
}

interface Source {
  readonly reading: CommandReading;
  readonly doubts: readonly Doubt[];
}

const NOTHING: CommandReading = { problems: [], hazards: [], commands: [], redirects: [] };

function readBash(args: JsonObject): Source {
  const command = args['command'];
  if (typeof command === 'string') return { reading: readCommand(command), doubts: [] };
  return { reading: NOTHING, doubts: [{ kind: 'unread', text: 'its command is not a text' }] };
}

/** Programs that take what they do from their input. */
const READS_PROGRAM =
  /^((ba|da|z|k|mk|c|tc|fi|a)?sh|python|node|perl|ruby|php|lua|deno|bun|xargs|parallel|ssh|at|batch|crontab|psql|mysql|sqlite|ed|ex|vim?|awk|bc|gdb|make|patch|git|tclsh|R|Rscript|osascript|busybox|env|sudo|su|doas|nc|ncat|socat|telnet|sftp|ftp)$/;

function readExec(args: JsonObject): Source {
  const argv = args['argv'];
  const words = Array.isArray(argv) ? argv.filter((word) => typeof word === 'string') : [];
  if (!Array.isArray(argv) || words.length === 0 || words.length !== argv.length)
    return { reading: NOTHING, doubts: [{ kind: 'unread', text: 'its argv is not a list of texts' }] };
  const reading = readArgv(words);
  const stdin = args['stdin'];
  if (stdin === undefined || stdin === null || stdin === '') return { reading, doubts: [] };
  const readers = reading.commands.filter(
    ({ program }) => program === null || READS_PROGRAM.test(programName(program)),
  );
  if (readers.length === 0) return { reading, doubts: [] };
  // What would run is read too, so that a rule against it holds.
  const inner = typeof stdin === 'string' ? readCommand(stdin) : NOTHING;
  return {
    reading: {
      ...reading,
      commands: [...reading.commands, ...inner.commands],
      redirects: [...reading.redirects, ...inner.redirects],
    },
    doubts: [{ kind: 'unread', text: `${readers[0]?.program ?? 'a program'} may run what its input says` }],
  };
}

function commandPart(command: SimpleCommand, reading: CommandReading, base: string, paths: PathReader): Part {
  const use = (path: string | null, access: readonly Access[]): PathUse =>
    paths.use(path, access, true, [base]);
  const places = command.directories.map((each) =>
    each === null ? null : (paths.resolve(each, base).real[0] ?? base),
  );
  const bases = places.filter((each) => each !== null);
  const network = NETWORK_PROGRAMS.has(programName(command.program ?? ''));
  return {
    kind: 'command',
    text: command.text,
    command,
    paths: [
      ...command.reads.map((path) => use(path, ['read'])),
      ...command.writes.map((path) => use(path, ['write'])),
      ...(command.isEffectKnown ? [] : possiblePaths(command, bases, places.includes(null), paths)),
    ],
    destinations: command.args.flatMap((arg) => (arg === null ? [] : destinationsOf(arg, network))),
    hasOpenDestination: network && command.args.includes(null),
    isTransparent: isTransparent(command, reading),
  };
}

/** Arguments that a program we know nothing of may take for paths. */
function possiblePaths(
  command: SimpleCommand,
  bases: readonly string[],
  isPlaceOpen: boolean,
  paths: PathReader,
): PathUse[] {
  const access: readonly Access[] = ['read', 'write'];
  return command.args.flatMap((arg) => {
    if (arg === null) return [paths.use(null, access, false)];
    return pathsIn(arg).map((path) =>
      isPlaceOpen && !path.startsWith('/')
        ? paths.use(null, access, false)
        : paths.use(path, access, false, bases.length === 0 ? [paths.cwd] : bases),
    );
  });
}

/** `--file=x`, `-fx`, `if=x`, `@x`, `a:b` all carry a path in some program. */
function pathsIn(arg: string): readonly string[] {
  if (arg.includes('://') && !arg.startsWith('file://')) return [];
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]*$/.test(arg)) return [arg];
  if (/^-[A-Za-z]?$/.test(arg) || arg === '--') return [];
  const pieces = new Set([arg.replace(/^file:\/\//, ''), ...arg.split(/[=:,@]/)]);
  if (/^-[A-Za-z][^-]/.test(arg)) pieces.add(arg.slice(2));
  return [...pieces].filter((piece) => piece !== '' && !/^--?[A-Za-z-]*$/.test(piece)).slice(0, 16);
}

const NETWORK_PROGRAMS: ReadonlySet<string> = new Set(
  (
    'curl wget aria2c http https xh ssh scp sftp rsync nc ncat netcat socat telnet ftp lftp ping ping6 traceroute dig ' +
    'nslookup host drill whois openssl'
  ).split(' '),
);

function destinationsOf(arg: string, isNetworkProgram: boolean): Destination[] {
  const url = /[A-Za-z][A-Za-z0-9+.-]*:\/\/\S*/.exec(arg)?.[0];
  if (url !== undefined) return [readUrl(url)];
  // git and ssh: user@host:path. No port is in it.
  if (/^[^@\s/:]+@[^\s/:@]+(:|$)/.test(arg)) return single(readHost(arg.replace(/:.*$/s, '')));
  if (!isNetworkProgram || arg.startsWith('-')) return [];
  return single(readHost(arg.replace(/[/?#].*$/s, '')));
}

function single(destination: Destination | null): Destination[] {
  return destination === null ? [] : [destination];
}

function redirectPart(redirect: Redirect, base: string, paths: PathReader): Part {
  const access: readonly Access[] =
    redirect.mode === 'read' ? ['read'] : redirect.mode === 'read_write' ? ['read', 'write'] : ['write'];
  return {
    ...emptyPart(`${redirect.mode} ${redirect.path ?? 'a path known at run time only'}`),
    kind: 'redirect',
    paths: [paths.use(redirect.path, access, true, [base])],
  };
}

function emptyPart(text: string): Part {
  return {
    kind: 'call',
    text,
    command: null,
    paths: [],
    destinations: [],
    hasOpenDestination: false,
    isTransparent: false,
  };
}

/** Wrappers that change nothing of what they run but its time and its place in the queue. */
const TRANSPARENT: ReadonlySet<string> = new Set([
  'nice',
  'nohup',
  'timeout',
  'time',
  'stdbuf',
  'ionice',
  'command',
  'env',
]);

/** As many as there are commands that stand behind such a wrapper: `env; env ls` runs one that shows the environment. */
function isTransparent({ program, args }: SimpleCommand, reading: CommandReading): boolean {
  if (program === null || !TRANSPARENT.has(program)) return false;
  const same = reading.commands.filter((each) => each.program === program);
  const wrapped = reading.commands.filter((each) => each.wrappers.includes(program));
  return !args.includes(null) && wrapped.length >= same.length;
}
