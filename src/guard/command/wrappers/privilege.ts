import { judgeAssignment, judgePassed } from '../environment.ts';
import { type OptionSpec, scanOptions } from '../options.ts';
import type { Argument, Assignment } from '../reading.ts';
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

export const ENV: OptionSpec = {
  flags: 'i0v',
  values: 'uCSaP',
  long: [
    'ignore-environment',
    'null',
    'unset=',
    'chdir=',
    'split-string=',
    'argv0=',
    'block-signal?',
    'default-signal?',
    'ignore-signal?',
    'list-signal-handling',
    'debug',
    'help',
    'version',
  ],
};

/** `env [options] NAME=value … program …`; `-S` splits a string into further words of env itself. */
export const unwrapEnv: Unwrap = (args) => unwrapEnvWords(args, 0);

function unwrapEnvWords(args: readonly Argument[], depth: number): Unwrapped {
  const { options, rest, doubt } = scanOptions(args, ENV);
  const notes: Unwrapped[] = doubt === null ? [] : [problem(`env: ${doubt}`)];
  const split = options.findLast(({ name }) => name === '-S' || name === '--split-string');
  if (split !== undefined) {
    const text = split.value ?? null;
    // Quotes, escapes and ${NAME} have rules of their own there.
    if (text === null || !/^[\w\s./:=,@%+-]*$/.test(text) || depth > 4)
      return merge(...notes, problem('env -S splits a string that is not plain words'));
    const words = text.split(/\s+/).filter((word) => word !== '');
    return merge(...notes, unwrapEnvWords([...words, ...args.slice(rest)], depth + 1));
  }
  for (const { name, value } of options) {
    if (name === '-a' || name === '--argv0')
      notes.push(hazard('env --argv0 changes what a program takes itself for'));
    if (name !== '-u' && name !== '--unset') continue;
    const message =
      value === null || value === undefined ? 'env -u takes away a variable' : judgeAssignment(value);
    if (message !== null) notes.push(hazard(message));
  }
  const directory = options.findLast(({ name }) => name === '-C' || name === '--chdir')?.value;
  const start = args[rest] === '-' ? rest + 1 : rest;
  const { assignments, words, hazards } = takeAssignments(args.slice(start));
  const place = directory === undefined ? { via: 'env' } : { via: 'env', directory };
  return merge(...notes, hazards, words.length === 0 ? NOTHING : runs({ ...place, words, assignments }));
}

interface Taken {
  readonly assignments: readonly Assignment[];
  readonly words: readonly Argument[];
  readonly hazards: Unwrapped;
}

/** `A=b C=d program`: everything with an equals sign in front of the program is a variable. */
function takeAssignments(args: readonly Argument[]): Taken {
  const assignments: Assignment[] = [];
  const notes: Unwrapped[] = [];
  let index = 0;
  for (; index < args.length; index++) {
    const word = args[index];
    const equals = word?.indexOf('=') ?? -1;
    if (word === null || word === undefined || equals < 1) break;
    const name = word.slice(0, equals);
    assignments.push({ name, value: word.slice(equals + 1) });
    const message = judgePassed(name);
    if (message !== null) notes.push(hazard(message));
  }
  return { assignments, words: args.slice(index), hazards: merge(...notes) };
}

const SUDO: OptionSpec = {
  flags: 'AbBEeHiKklnNPSsVv',
  values: 'acCDgGhpRrtTuU',
  long: [
    'askpass',
    'background',
    'bell',
    'preserve-env?',
    'edit',
    'set-home',
    'login',
    'remove-timestamp',
    'reset-timestamp',
    'list',
    'non-interactive',
    'no-update',
    'preserve-groups',
    'stdin',
    'shell',
    'version',
    'validate',
    'auth-type=',
    'login-class=',
    'close-from=',
    'chdir=',
    'group=',
    'host=',
    'prompt=',
    'chroot=',
    'role=',
    'type=',
    'command-timeout=',
    'other-user=',
    'user=',
    'help',
  ],
};

/** `sudo [options] [NAME=value …] program …`. */
export const unwrapSudo: Unwrap = (args, name) => {
  if (name === 'sudoedit') return CODE;
  const { options, rest, doubt } = scanOptions(args, SUDO);
  const has = (...wanted: string[]) => options.some((option) => wanted.includes(option.name));
  const notes: Unwrapped[] = doubt === null ? [] : [problem(`sudo: ${doubt}`)];
  if (has('-e', '--edit')) return merge(...notes, CODE);
  const { assignments, words, hazards } = takeAssignments(args.slice(rest));
  if (has('-i', '--login')) notes.push(hazard('sudo -i reads start-up files'));
  if (has('-E', '--preserve-env')) notes.push(hazard('sudo passes the environment on'));
  const directory = options.findLast((option) => option.name === '-D' || option.name === '--chdir')?.value;
  const isElsewhere = has('-R', '--chroot', '-i', '--login', '-h', '--host');
  const place =
    isElsewhere || directory !== undefined
      ? { via: 'sudo', directory: isElsewhere ? null : (directory ?? null) }
      : { via: 'sudo' };
  if (words.length > 0) return merge(...notes, hazards, runs({ ...place, words, assignments }));
  if (has('-s', '-i', '--shell', '--login'))
    notes.push(problem('sudo starts a shell that reads its standard input'));
  return merge(...notes, hazards);
};

const SU: OptionSpec = {
  flags: 'lmpPf',
  values: 'cCgGsuTw',
  long: [
    'login',
    'preserve-environment',
    'pty',
    'no-pty',
    'fast',
    'command=',
    'session-command=',
    'group=',
    'supp-group=',
    'shell=',
    'user=',
    'whitelist-environment=',
    'help',
    'version',
  ],
};
const SU_TEXT = ['-c', '-C', '--command', '--session-command'];

/** `su [options] [-] [user [args]]`: options may stand behind the user; without -c a shell reads standard input. */
export const unwrapSu: Unwrap = (args, name) => {
  const notes: Unwrapped[] = [];
  const texts: Argument[] = [];
  const operands: Argument[] = [];
  let rest = args;
  while (rest.length > 0) {
    const scanned = scanOptions(rest, SU);
    if (scanned.doubt !== null) notes.push(problem(`${name}: ${scanned.doubt}`));
    for (const option of scanned.options) {
      if (SU_TEXT.includes(option.name)) texts.push(option.value ?? null);
      if (['-s', '--shell'].includes(option.name)) notes.push(problem(`${name} is told which shell to use`));
      if (['-u', '--user'].includes(option.name)) operands.push('-u');
      if (['--help', '--version'].includes(option.name)) return NOTHING;
    }
    if (scanned.doubt !== null) break;
    const isEnd = rest[scanned.rest - 1] === '--';
    if (isEnd || (operands[0] === '-u' && name === 'runuser')) {
      operands.push(...rest.slice(scanned.rest));
      break;
    }
    operands.push(...rest.slice(scanned.rest, scanned.rest + 1));
    rest = rest.slice(scanned.rest + 1);
  }
  if (texts.length > 0)
    return merge(
      ...notes,
      runs(...texts.map((text) => ({ via: `${name} -c`, text, dialect: 'sh' as const, directory: null }))),
    );
  // runuser -u USER [--] program …
  if (operands[0] === '-u' && operands.length > 1)
    return merge(...notes, runs({ via: name, words: operands.slice(1) }));
  return merge(...notes, problem(`${name} starts a shell that reads its standard input`));
};

const SSH: OptionSpec = {
  flags: '46AaCfGgKkMNnqsTtVvXxYy',
  values: 'BbcDEeFIiJLlmOoPpQRSWw',
};

/** `ssh [options] host words…`: the words run in a shell on another machine. */
export const unwrapSsh: Unwrap = (args) => {
  const first = scanOptions(args, SSH);
  // Options may stand behind the host too.
  const second = scanOptions(args.slice(first.rest + 1), SSH);
  const words = args.slice(first.rest + 1 + second.rest);
  const notes: Unwrapped[] = [first, second].flatMap(({ doubt }) =>
    doubt === null ? [] : [problem(`ssh: ${doubt}`)],
  );
  for (const { name, value } of [...first.options, ...second.options]) {
    if (name === '-F') notes.push(hazard('ssh -F reads another configuration'));
    if (name === '-o') notes.push(sshSetting(value ?? null));
    if (name === '-I') notes.push(hazard('ssh -I loads a library'));
  }
  if (words.length > 0) notes.push(runs({ via: 'ssh', text: joined(words), dialect: 'sh', directory: null }));
  else if (!first.options.some(({ name }) => ['-N', '-V', '-Q', '-G', '-O'].includes(name)))
    notes.push(problem('ssh starts a shell that reads its standard input'));
  return merge(...notes);
};

/** `-o ProxyCommand=…` and its kind run a program here. */
export function sshSetting(setting: Argument): Unwrapped {
  if (setting === null) return problem('ssh -o is known only at run time');
  const [, key = '', value = ''] = /^\s*(\w+)\s*[=\s]\s*(.*)$/s.exec(setting) ?? [];
  if (/^(?:proxycommand|localcommand|knownhostscommand)$/i.test(key))
    return runs({ via: `ssh -o ${key}`, text: value, dialect: 'sh' });
  return /^(?:batchmode|connecttimeout|loglevel|port|user|stricthostkeychecking)$/i.test(key)
    ? NOTHING
    : hazard(`ssh -o ${key} changes what ssh does`);
}
