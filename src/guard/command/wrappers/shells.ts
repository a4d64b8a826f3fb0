import type { Argument } from '../reading.ts';
import { CODE, hazard, merge, NOTHING, problem, runs, type Unwrap, type Unwrapped } from './unwrapped.ts';

/** Shells that read POSIX text alike, as far as our dialect checks go. */
const POSIX_SHELLS = ['bash', 'rbash', 'sh', 'dash', 'ash'];
/** Shells with rules of their own: read for what must be denied, never sure. */
const OTHER_SHELLS = [
  'zsh',
  'rzsh',
  'ksh',
  'mksh',
  'lksh',
  'pdksh',
  'oksh',
  'yash',
  'posh',
  'fish',
  'csh',
  'tcsh',
  'rc',
  'es',
  'nu',
  'xonsh',
  'elvish',
  'pwsh',
  'powershell',
  'osh',
  'hush',
];
export const SHELL_NAMES: readonly string[] = [...POSIX_SHELLS, ...OTHER_SHELLS];

/** Short options that take the next word as their value. */
const LONG_WITH_VALUE = new Set(['--rcfile', '--init-file']);

interface ShellOptions {
  readonly hasText: boolean;
  readonly hasStdin: boolean;
  readonly readsFiles: boolean;
  readonly rest: number;
  readonly isKnown: boolean;
}

/** `sh -c TEXT`, `sh FILE`, `sh` on standard input. */
export const unwrapShell: Unwrap = (args, name) => {
  if (args.length === 1 && (args[0] === '--version' || args[0] === '--help')) return NOTHING;
  const options = scanShellOptions(args);
  const operand = args[options.rest];
  const notes: Unwrapped[] = [];
  if (!options.isKnown) notes.push(problem(`${name}: its options are known only at run time`));
  if (options.readsFiles) notes.push(hazard(`${name} reads start-up files (login or interactive)`));
  if (!POSIX_SHELLS.includes(name)) notes.push(problem(`${name} reads text by rules of its own`));
  if (options.hasText)
    return merge(
      ...notes,
      runs({ via: `${name} -c`, text: operand ?? null, dialect: /bash$/.test(name) ? 'bash' : 'sh' }),
    );
  if (options.hasStdin || operand === undefined)
    return merge(...notes, CODE, problem(`${name} reads its commands from standard input`));
  return merge(...notes, scriptFile(operand, name));
};

/** A file of commands: not read here, so it is code; a pipe or descriptor isn't even a file. */
export function scriptFile(file: Argument, name: string): Unwrapped {
  if (file === null) return merge(CODE, problem(`${name} runs a file that is known only at run time`));
  if (/^\/(?:dev|proc)\//.test(file) || file === '-')
    return merge(CODE, problem(`${name} reads its commands from ${file}`));
  return CODE;
}

function scanShellOptions(args: readonly Argument[]): ShellOptions {
  let [hasText, hasStdin, readsFiles] = [false, false, false];
  let index = 0;
  for (; index < args.length; index++) {
    const word = args[index];
    if (word === null || word === undefined)
      return { hasText, hasStdin, readsFiles, rest: index, isKnown: false };
    if (word === '--' || word === '-') {
      index++;
      break;
    }
    if (!/^[-+]./.test(word)) break;
    if (word.startsWith('--')) {
      if (LONG_WITH_VALUE.has(word)) index++;
      if (/^--(?:login|rcfile|init-file)/.test(word)) readsFiles = true;
      continue;
    }
    if (word.includes('c') && word.startsWith('-')) hasText = true;
    if (word.includes('s') && word.startsWith('-')) hasStdin = true;
    if (/[il]/.test(word)) readsFiles = true;
    // Each `o` or `O` of a cluster takes a word of its own.
    index += word.match(/[oO]/g)?.length ?? 0;
  }
  return { hasText, hasStdin: hasStdin && !hasText, readsFiles, rest: index, isKnown: true };
}
