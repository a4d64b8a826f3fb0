import { NULL_DEVICE } from '../../../../sandbox/kernel-paths.ts';
import type { JsonObject } from '../../../definition/workflow.ts';
import { readArgv, readCommand } from '../../command/read-command.ts';
import type { CommandReading, Redirect, SimpleCommand } from '../../command/reading.ts';
import type { Access } from '../../tools.ts';
import { commandPart, emptyPart, pathsWithin } from '../rules/command-part.ts';
import { programName } from '../rules/program.ts';
import { PatternNames } from './file-names.ts';
import { foundRepository } from './found-repository.ts';
import type { PathReader } from './path-reader.ts';
import type { Doubt, Part, PathUse } from './subject.ts';
import { readHost } from './url.ts';

interface Read {
  readonly parts: readonly Part[];
  readonly doubts: readonly Doubt[];
}

/** Reads a call of `execute_bash` or `exec`: one part for each program and each redirect. */
export function readShell(tool: 'execute_bash' | 'exec', args: JsonObject, paths: PathReader): Read {
  const cwd = args['cwd'];
  const start = typeof cwd === 'string' ? paths.resolve(cwd).real[0] : paths.cwd;
  const base = start ?? paths.cwd;
  const { reading, doubts } = tool === 'exec' ? readExec(args) : readBash(args, paths, base);
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
  const repository = foundRepository(reading, base, paths);
  if (repository !== null)
    all.push({ kind: 'unread', text: `git takes ${repository} for a repository by what is in it` });
  const parts = [
    ...reading.commands.map((command) => commandPart(command, base, paths, isTransparent(command, reading))),
    ...reading.possible.map((command) => commandPart(command, base, paths, true)),
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

const NOTHING: CommandReading = { problems: [], hazards: [], commands: [], possible: [], redirects: [] };

function readBash(args: JsonObject, paths: PathReader, base: string): Source {
  const command = args['command'];
  if (typeof command === 'string') {
    const names = new PatternNames(paths, base);
    const reading = readCommand(command, names.files);
    return { reading: names.mayGrow(reading) ? readCommand(command) : reading, doubts: [] };
  }
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
      possible: [...reading.possible, ...inner.possible],
      redirects: [...reading.redirects, ...inner.redirects],
    },
    doubts: [{ kind: 'unread', text: `${readers[0]?.program ?? 'a program'} may run what its input says` }],
  };
}

/** `/dev/tcp/HOST/PORT` is a connection for bash. */
function connectionOf(path: string | null): Part['destinations'] {
  const [, host, port] = /^\/dev\/(?:tcp|udp)\/([^/]+)\/(\d+)/.exec(path ?? '') ?? [];
  const destination = host === undefined ? null : readHost(`${host}:${port ?? ''}`);
  return destination === null ? [] : [destination];
}

function redirectPart(redirect: Redirect, base: string, paths: PathReader): Part {
  const access: readonly Access[] =
    redirect.mode === 'read' ? ['read'] : redirect.mode === 'read_write' ? ['read', 'write'] : ['write'];
  return {
    ...emptyPart(`${redirect.mode} ${redirect.path ?? 'a path known at run time only'}`),
    destinations: connectionOf(redirect.path),
    kind: 'redirect',
    paths: [
      paths.use(redirect.path, access, true, [base]),
      ...pathsWithin(redirect.text === undefined ? [] : [redirect.text]).map(
        (path): PathUse => ({ ...paths.use(path, access, false, [base]), isGuess: true }),
      ),
    ],
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
function isTransparent({ program, args, reads, writes }: SimpleCommand, reading: CommandReading): boolean {
  // `env -C`, `time -o`: what touches a file does more.
  if (program === null || !TRANSPARENT.has(program) || reads.length + writes.length > 0) return false;
  const same = reading.commands.filter((each) => each.program === program);
  const wrapped = reading.commands.filter((each) => each.wrappers.includes(program));
  return !args.includes(null) && wrapped.length >= same.length;
}
