import { holdsCode, judgeAssignment, judgePassed } from '../environment.ts';
import { scanOptions } from '../options.ts';
import type { Argument } from '../reading.ts';
import { scriptFile } from './shells.ts';
import {
  CODE,
  hazard,
  joined,
  merge,
  NOTHING,
  problem,
  runs,
  type Unwrap,
  type Unwrapped,
} from './unwrapped.ts';

/** `set` options that stop earlier or say more, and change no meaning. */
const PLAIN_SET = /^[-+](?:[euvxfCnE]+|o)$/;
const PLAIN_SET_NAMES = /^(?:errexit|nounset|pipefail|verbose|xtrace|noglob|noclobber|noexec|errtrace)$/;

function always(message: string): Unwrap {
  return () => hazard(message);
}

/** Arguments that a builtin takes as names: a subscript would be evaluated, and may run commands. */
function names(args: readonly Argument[]): Unwrapped {
  return merge(
    ...args.map((arg) => {
      if (arg === null || arg.startsWith('-')) return NOTHING;
      if (/^[^=]*\[/.test(arg)) return problem(`a builtin evaluates the subscript in "${arg}"`);
      if (holdsCode(arg)) return problem(`a builtin may expand the text in "${arg}"`);
      const name = /^[A-Za-z_]\w*/.exec(arg)?.[0];
      const message = name === undefined ? null : judgeAssignment(name);
      return message === null ? NOTHING : hazard(message);
    }),
  );
}

/** Names that the builtin gives a value known only at run time. */
function setNames(args: readonly Argument[], name: string): Unwrapped {
  const known = args.filter((arg) => arg !== null);
  const unknown = known.length < args.length;
  return merge(
    { ...NOTHING, sets: known.filter((arg) => /^[A-Za-z_]\w*$/.test(arg)) },
    names(args),
    unknown ? problem(`${name} sets a variable whose name is known only at run time`) : NOTHING,
  );
}

const declare: Unwrap = (args, name) => {
  const flags = args.filter((arg) => arg !== null && /^[-+]/.test(arg)).join('');
  const exports = /x/.test(flags) || name === 'export';
  return merge(
    names(args),
    /[nifxFt]/.test(flags) ? hazard(`${name} ${flags} changes what later commands mean`) : NOTHING,
    exports ? exported(args) : NOTHING,
  );
};

function exported(args: readonly Argument[]): Unwrapped {
  return merge(
    ...args.map((arg) => {
      if (arg?.startsWith('-') === true) return NOTHING;
      const message =
        arg === null ? 'passes a variable to all programs' : judgePassed(arg.replace(/\+?=.*$/s, ''));
      return message === null ? NOTHING : hazard(message);
    }),
  );
}

const evaluate: Unwrap = (args) => {
  const words = args[0] === '--' ? args.slice(1) : args;
  return words.length === 0 ? NOTHING : runs({ via: 'eval', text: joined(words), dialect: 'bash' });
};

const source: Unwrap = (args, name) => {
  const words = args[0] === '--' ? args.slice(1) : args;
  return merge(hazard(`${name} runs a file in this shell`), scriptFile(words[0] ?? null, name));
};

const exec: Unwrap = (args) => {
  const { options, rest, doubt } = scanOptions(args, { flags: 'cl', values: 'a' });
  const words = args.slice(rest);
  return merge(
    doubt === null ? NOTHING : problem(`exec: ${doubt}`),
    // Programs with many names (busybox) do what their name says.
    options.some(({ name }) => name === '-a' || name === '-l')
      ? hazard('exec -a changes what a program takes itself for')
      : NOTHING,
    words.length === 0 ? NOTHING : runs({ via: 'exec', words }),
  );
};

const command: Unwrap = (args, name) => {
  const { options, rest, doubt } = scanOptions(args, { flags: 'pvV' });
  const words = args.slice(rest);
  if (options.some((option) => option.name !== '-p')) return NOTHING;
  return merge(
    doubt === null ? NOTHING : problem(`${name}: ${doubt}`),
    words.length === 0 ? NOTHING : runs({ via: name, words }),
  );
};

const trap: Unwrap = (args) => {
  const words = args[0] === '--' ? args.slice(1) : args;
  if (words.length === 0 || words[0] === '-' || words[0] === '-l' || words[0] === '-p') return NOTHING;
  return runs({ via: 'trap', text: words[0] ?? null, dialect: 'bash', isFloating: true });
};

const set: Unwrap = (args) => {
  const end = args.indexOf('--');
  const options = end === -1 ? args : args.slice(0, end);
  const isPlain = (arg: Argument) =>
    arg !== null && (PLAIN_SET.test(arg) || PLAIN_SET_NAMES.test(arg) || /^[-+][eux]*o$/.test(arg));
  return options.every(isPlain) ? NOTHING : hazard('set changes how the shell reads or what it passes on');
};

const printf: Unwrap = ([first, second], name) => {
  if (first === '-v') return setNames([second ?? null], name);
  return first?.startsWith('-v') === true ? setNames([first.slice(2)], name) : NOTHING;
};

const mapfile: Unwrap = (args, name) => {
  const { options, rest, doubt } = scanOptions(args, { flags: 't', values: 'dnOsuCc' });
  const callback = options.find((option) => option.name === '-C');
  return merge(
    doubt === null ? NOTHING : problem(`${name}: ${doubt}`),
    setNames(args.slice(rest), name),
    callback === undefined
      ? NOTHING
      : runs({ via: `${name} -C`, text: callback.value ?? null, dialect: 'bash', isFloating: true }),
  );
};

const BINARY = /^(?:==?|!=|=~|<|>|-(?:eq|ne|lt|le|gt|ge|nt|ot|ef))$/;
const UNARY = /^-[a-uw-zG-SA-F]$/;

/** `test -v NAME` evaluates a subscript, so a word that may be `-v`, or stand behind it, is a problem. */
const test: Unwrap = (args, name) => {
  const words = name === '[' ? args.slice(0, -1) : args;
  const isSafe = (arg: Argument, index: number) => {
    const [before = '', after = ''] = [words[index - 1], words[index + 1]];
    if (before === '-v') return arg !== null && !arg.includes('[');
    if (arg !== null) return true;
    const isOperand = (before !== null && (UNARY.test(before) || BINARY.test(before))) || words.length === 1;
    return isOperand || (after !== null && BINARY.test(after));
  };
  return words.every(isSafe) ? NOTHING : problem(`${name} may evaluate the subscript of a name (-v)`);
};

const arithmetic: Unwrap = (args) =>
  args.every((arg) => arg !== null && /^[\w\s+\-*/%<>=!&|()]*$/.test(arg))
    ? hazard('let evaluates variables')
    : problem('let evaluates text that may run commands');

const read: Unwrap = (args, name) => {
  const { options, rest, doubt } = scanOptions(args, { flags: 'ersE', values: 'adinNptu' });
  const arrays = options.filter((option) => option.name === '-a').map((option) => option.value ?? null);
  return merge(
    doubt === null ? NOTHING : problem(`${name}: ${doubt}`),
    setNames([...args.slice(rest), ...arrays], name),
  );
};

const hash: Unwrap = (args) =>
  args.some((arg) => arg === null || /^-\w*[pdt]/.test(arg))
    ? hazard('hash changes where a program is found')
    : NOTHING;

const jobs: Unwrap = (args) => (args[0] === '-x' ? runs({ via: 'jobs -x', words: args.slice(1) }) : NOTHING);

/** Builtins that run text or words, or change what later commands mean. */
export const BUILTINS: Readonly<Record<string, Unwrap>> = {
  eval: evaluate,
  source,
  '.': source,
  exec,
  command,
  builtin: command,
  trap,
  set,
  export: declare,
  declare,
  typeset: declare,
  local: declare,
  readonly: declare,
  read,
  readarray: mapfile,
  mapfile,
  printf,
  let: arithmetic,
  test,
  '[': test,
  hash,
  jobs,
  getopts: (args, name) => setNames(args.slice(1, 2), name),
  unset: setNames,
  wait: (args, name) => (args.some((arg) => arg?.startsWith('-p')) ? setNames(args, name) : NOTHING),
  alias: (args) => (args.length === 0 ? NOTHING : hazard('alias changes what later commands mean')),
  unalias: always('unalias changes what later commands mean'),
  shopt: (args) => (args.length === 0 ? NOTHING : hazard('shopt changes how the shell reads')),
  enable: always('enable changes which commands are builtins'),
  bind: always('bind may run commands'),
  complete: () => merge(CODE, hazard('complete may run commands')),
  compgen: () => merge(CODE, problem('compgen evaluates its arguments')),
  compopt: always('compopt changes completion'),
  fc: () => merge(CODE, problem('fc runs commands of the history')),
  history: always('history changes what is recorded'),
};
