import { type OptionSpec, scanOptions } from '../options.ts';
import type { Argument } from '../reading.ts';
import { readSed } from './sed.ts';
import { CODE, merge, NOTHING, problem, runs, type Unwrap, type Unwrapped } from './unwrapped.ts';

const HARMLESS = /^(?:--version|--help|-V|-h|version|help)$/;

/** Anything but a question for help or the version. */
export const unwrapCode: Unwrap = (args) => {
  const [only] = args;
  return args.length === 1 && only !== null && only !== undefined && HARMLESS.test(only) ? NOTHING : CODE;
};

const AWK_RUNS = /system|getline|[@>]|(?<!\|)\|(?!\|)|ARG[VC]|PROCINFO|ENVIRON|\/inet/;

/** awk: `{print $1}` is a filter; a program that may run, write, open or load something is code. */
export const unwrapAwk: Unwrap = (args) => {
  const { options, rest, doubt } = scanOptions(args, {
    flags: 'bcCeghkMnNoOPrsStV',
    values: 'Fvf',
    optional: 'dDLpW',
    long: [
      'field-separator=',
      'assign=',
      'posix',
      'traditional',
      'sandbox',
      're-interval',
      'version',
      'help',
    ],
  });
  const program = args[rest];
  const hasFile = options.some(({ name }) => name === '-f');
  if (program === null && !hasFile) return merge(CODE, problem('awk: its program is known only at run time'));
  const isFilter = doubt === null && !hasFile && program !== null && !AWK_RUNS.test(program ?? '');
  return isFilter ? NOTHING : CODE;
};

/** sed: `e` runs a command, `w` and `r` open files, a script file is code. */
export const unwrapSed: Unwrap = (args) => {
  const { commands, isUnderstood } = readSed(args);
  if (!isUnderstood)
    return merge(CODE, problem('sed: its script is not understood or known only at run time'));
  return commands.length === 0
    ? NOTHING
    : merge(CODE, runs(...commands.map((text) => ({ via: 'sed e', text, dialect: 'sh' as const }))));
};

/** `less +!command`, and pagers that take commands. */
export const unwrapPager: Unwrap = (args) =>
  args.some((arg) => arg === null || /^(?:\+|-k|--lesskey|-o|-O|--log)/.test(arg)) ? CODE : NOTHING;

const LOADER: OptionSpec = {
  long: [
    'list',
    'verify',
    'inhibit-cache',
    'list-tunables',
    'list-diagnostics',
    'help',
    'version',
    'library-path=',
    'inhibit-rpath=',
    'audit=',
    'preload=',
    'argv0=',
    'glibc-hwcaps-prepend=',
    'glibc-hwcaps-mask=',
  ],
};

/** `ld.so program …`: the dynamic loader is a way to start any program. */
export const unwrapLoader: Unwrap = (args) => {
  const { rest, doubt } = scanOptions(args, LOADER);
  const words = args.slice(rest);
  return merge(
    CODE,
    doubt === null ? NOTHING : problem(`ld.so: ${doubt}`),
    words.length === 0 ? NOTHING : runs({ via: 'ld.so', words }),
  );
};

export const unwrapMultiCall: Unwrap = (args, name) =>
  args.length === 0 || args[0]?.startsWith('--') === true ? NOTHING : runs({ via: name, words: args });

/** `curl -K FILE`, `wget --execute`, `--use-askpass`: options out of a file, or a program to start. */
export const unwrapDownload: Unwrap = (args): Unwrapped => {
  const isConfigured = args.some(
    (arg: Argument) =>
      arg === null || /^(?:-[A-Za-z#]*K|--config|-e$|-e.|--execute|--use-askpass|--engine)/.test(arg),
  );
  const askers = args.flatMap((arg) => /^--use-askpass=(.*)$/s.exec(arg ?? '')?.[1] ?? []);
  return merge(
    isConfigured ? CODE : NOTHING,
    runs(...askers.map((program) => ({ via: 'wget --use-askpass', words: [program] }))),
  );
};
