import { tableName } from './program-name.ts';
import type { SimpleCommand } from './reading.ts';
import { INTERPRETERS } from './wrappers/program-lists.ts';
import { SHELL_NAMES } from './wrappers/shells.ts';

/** Words of a command, or text that may be one. */
export type PossibleRun =
  | { readonly words: readonly string[]; readonly text?: undefined }
  | { readonly text: string; readonly words?: undefined };

/**
 * What these commands may start though no table says how: `valgrind rm x`, `docker run image rm x`,
 * `python -c 'os.system("rm x")'`. Far too much, and not all of it; `source` is the text that they stand in.
 */
export function possibleRuns(commands: readonly SimpleCommand[], source: string): readonly PossibleRun[] {
  const runs = commands.flatMap((command) => [
    ...startedBy(command),
    ...keptBy(command),
    ...filledBy(command),
    ...codeOf(command).flatMap(runsIn),
  ]);
  // A program that reads its code from a here-document or a pipe: it stands somewhere in the text.
  const isFed = /<<|\||<\(/.test(source) && commands.some((command) => readsCode(command));
  // `printf 'all:\n\trm x'`, `<<< $'…'`: what stands behind these escapes begins a line.
  const fed = isFed ? [source, source.replaceAll(/\\[nrt]/g, '\n'), ...commands.flatMap(saidBy)] : [];
  return [...runs, ...[...new Set(fed)].flatMap(runsIn)].slice(0, MAX_RUNS);
}

/** `echo git push | sh`. */
function saidBy({ program, args }: SimpleCommand): readonly string[] {
  const isSaying = program !== null && /^(?:echo|printf)$/.test(tableName(program));
  return isSaying ? [args.map((arg) => arg ?? '').join(' ')] : [];
}

const MAX_RUNS = 96;
const MAX_WORDS = 24;

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Programs that run the rest of their words, or a text among them, behind options that differ from one to the next. */
const STARTERS: ReadonlySet<string> = new Set(
  names(`
    valgrind xvfb-run ssh-agent dbus-launch eatmydata chronic ifne numactl cpulimit faketime cgexec proot bwrap
    firejail systemd-run systemd-inhibit systemd-cat logsave entr aa-exec runcon openvt setlock chpst softlimit
    envdir wine uname x86_64 tsp ts dtach abduco screen tmux sg multilog hyperfine socat gdb lldb
    start-stop-daemon machinectl lxc-attach nix-shell npx bunx pnpx uvx watchexec nodemon dotenv cross-env
    concurrently daemonize daemon capsh zip entr inotifywait run-parts pee at batch crontab less sshpass
    with-contenv s6-setuidgid s6-softlimit xterm konsole gnome-terminal x-terminal-emulator byobu script
    scriptlive
  `),
);
/** The same behind one word of theirs. */
const STARTING_WORDS: ReadonlyMap<string, RegExp> = new Map([
  ...names('docker podman nerdctl').map((name) => [name, /^(?:run|exec)$/] as const),
  ...names('kubectl oc').map((name) => [name, /^(?:exec|run|debug|rsh)$/] as const),
  ['docker-compose', /^(?:run|exec)$/],
  ...names('pipx op doppler infisical dotenvx teller').map((name) => [name, /^run$/] as const),
  ...names('aws-vault chamber').map((name) => [name, /^exec$/] as const),
  ...names('lxc bundle ip').map((name) => [name, /^exec$/] as const),
  ...names('npm yarn pnpm bun mise asdf direnv').map((name) => [name, /^(?:exec|x|dlx)$/] as const),
  ...names('uv poetry pipenv pdm hatch conda mamba rye flatpak snap').map(
    (name) => [name, /^(?:run|exec)$/] as const,
  ),
  ['nix', /^(?:develop|shell|run)$/],
  ['guix', /^(?:shell|environment)$/],
  ['perf', /^(?:stat|record|trace)$/],
  ['vagrant', /^ssh$/],
  ['go', /^--?(?:exec|toolexec|vettool)$/],
  ['cmake', /^(?:env|time|chdir)$/],
  ['cargo', /^watch$/],
]);
/** Options whose value is a program, in one word with it. */
const STARTING_OPTION = /^--?(?:entrypoint|exec|startas|toolexec|vettool)=(.+)$/s;
const QEMU = /^qemu-/;

function startedBy({ program, args }: SimpleCommand): readonly PossibleRun[] {
  const name = program === null ? '' : tableName(program);
  if (name === 'python' || name === 'pypy') return moduleOf(args);
  if (name === 'uv' && args[0] === 'pip') return [{ words: args.filter((arg) => arg !== null) }];
  const word = STARTING_WORDS.get(name);
  const at = word === undefined ? -1 : args.findIndex((arg) => arg !== null && word.test(arg));
  const named = word === undefined && !STARTERS.has(name) ? [] : args.flatMap(startedByOption);
  return [...named, ...startedBehind(name, args, at)];
}

function startedByOption(arg: string | null): readonly PossibleRun[] {
  const value = STARTING_OPTION.exec(arg ?? '')?.[1];
  return value === undefined ? [] : textOf(value);
}

function startedBehind(name: string, args: SimpleCommand['args'], at: number): readonly PossibleRun[] {
  if (at === -1 && !STARTERS.has(name) && !QEMU.test(name)) return [];
  return args.slice(at + 1, at + 1 + MAX_WORDS).flatMap((arg, index): readonly PossibleRun[] => {
    if (arg === null) return [];
    if (/[\s!:]/.test(arg)) return [{ text: arg.replace(/^--?[\w-]+=/, '') }, ...runsIn(arg)];
    if (!/^[\w./@+][\w./@+-]*$/.test(arg)) return [];
    const words = args.slice(at + 1 + index).filter((each) => each !== null);
    return [{ words }];
  });
}

/** `xargs -I{} sh -c 'rm {}'`, `find -exec sh -c 'rm {}' \;`: a text that is filled before a shell reads it. */
function filledBy({ program, args }: SimpleCommand): readonly PossibleRun[] {
  if (program === null || !/^(?:xargs|find)$/.test(tableName(program))) return [];
  return args.flatMap((arg, index) =>
    arg !== null && /^-\w*c$/.test(args[index - 1] ?? '') && /\s/.test(arg) ? textOf(arg) : [],
  );
}

/** Builtins that keep a text of their arguments as a command for later, or evaluate what stands in it. */
const KEEPERS: ReadonlySet<string> = new Set(
  names(`
    alias hash complete compgen bind export declare typeset local readonly printf test [ let read unset wait mapfile
    readarray
  `),
);
/** Variables whose value is run by the shell, git, man and others. */
const RUN_LATER =
  /(?:COMMAND|PAGER|EDITOR|VISUAL|BROWSER|SHELL|_SSH|_RSH|ASKPASS|_DIFF|LESSOPEN|LESSCLOSE|PREPROCESSOR)$|^PS[0-4]$/;

/** `alias f=rm; f x`, `PAGER='rm x' man ls`, `hash -p /bin/rm ls`, `printf -v 'a[$(rm x)]' y`. */
function keptBy({ program, args, assignments }: SimpleCommand): readonly PossibleRun[] {
  const passed = assignments.flatMap(({ name, value }) =>
    value !== null && RUN_LATER.test(name) ? textOf(value) : [],
  );
  if (program === 'gcc' || program === 'g++' || program === 'cc') return [...passed, ...wrapperOf(args)];
  if (program === null || !KEEPERS.has(program)) return passed;
  return [...passed, ...args.flatMap((arg) => (arg === null ? [] : keptIn(arg, program)))];
}

function keptIn(arg: string, program: string): readonly PossibleRun[] {
  const [, name, value] = /^(\w[\w-]*)=(.*)$/s.exec(arg) ?? [];
  if (program === 'alias') return value === undefined ? [] : textOf(value);
  if (program === 'hash') return arg.startsWith('-') ? [] : [{ words: [arg] }];
  if (['complete', 'compgen', 'bind'].includes(program)) return textOf(arg);
  const isRun = name !== undefined && value !== undefined && RUN_LATER.test(name);
  return isRun ? textOf(value) : /\$\(|`/.test(arg) ? runsIn(arg) : [];
}

function textOf(value: string): readonly PossibleRun[] {
  return [{ text: value }, ...runsIn(value)];
}

/** `gcc -wrapper rm,x`. */
function wrapperOf(args: SimpleCommand['args']): readonly PossibleRun[] {
  const value = args[args.indexOf('-wrapper') + 1];
  return args.includes('-wrapper') && typeof value === 'string' ? [{ words: value.split(',') }] : [];
}

/** `python -m pip install x` is `pip install x`. */
function moduleOf(args: SimpleCommand['args']): readonly PossibleRun[] {
  const at = args.indexOf('-m');
  const attached = args.find((arg) => arg !== null && /^-m\w/.test(arg)) ?? null;
  const words = at === -1 ? args.slice(args.indexOf(attached) + 1) : args.slice(at + 1);
  const known = words.filter((arg) => arg !== null);
  if (at !== -1) return [{ words: known }];
  return attached === null ? [] : [{ words: [attached.slice(2), ...known] }];
}

const CODE_PROGRAMS: ReadonlySet<string> = new Set([
  ...INTERPRETERS,
  'awk',
  'gawk',
  'mawk',
  'nawk',
  'make',
  'zip',
]);
const FED_PROGRAMS: ReadonlySet<string> = new Set([
  ...INTERPRETERS,
  ...SHELL_NAMES,
  'make',
  'at',
  'batch',
  'crontab',
  'source',
  '.',
]);

/** The arguments that are code, or may be. */
export function codeOf({ program, args, runsCode }: SimpleCommand): readonly string[] {
  if (!runsCode || program === null || !CODE_PROGRAMS.has(tableName(program))) return [];
  return args.filter((arg) => arg !== null && /[\s"'`(!]/.test(arg)).map((arg) => arg ?? '');
}

function readsCode({ program, runsCode }: SimpleCommand): boolean {
  return runsCode && program !== null && FED_PROGRAMS.has(tableName(program));
}

/** Where a command may begin in code: a quote, a bracket, a mark of an editor, an argument of `system`. */
const BEGINNING = /(?<=^|["'`!;(|&\n\t{:=])[ ]*([\w./~\\*][^"'`\n\t;|&()!{:=]*)/g;
const CALLS = /^(?:\.?shell|\.?system|spawn|exec|run|call)$/;

function runsIn(code: string): readonly PossibleRun[] {
  // `["git", "push"]` is `git push`.
  const text = code.slice(0, 16_384).replaceAll(/["'`]\s*,\s*["'`]/g, ' ');
  const runs: PossibleRun[] = [];
  for (const [, found = ''] of text.matchAll(BEGINNING)) {
    const words = found
      .trim()
      .split(/\s+/, MAX_WORDS)
      .map((word) => word.replace(/[,\])}]+$/, ''));
    runs.push({ words });
    if (CALLS.test(words[0] ?? '') && words.length > 1) runs.push({ words: words.slice(1) });
    // A line of a table of `cron`, a rule of `make`.
    const behind = words.findIndex((word) => !/^[\d*/,-]+$/.test(word));
    if (behind > 0) runs.push({ words: words.slice(behind) });
    if (runs.length >= MAX_RUNS) break;
  }
  return runs;
}
