/** How the words of a guard may be spelled in a command: other names of options and of subcommands. */
import type { SimpleCommand } from '../../command/reading.ts';
import { fitsGlobFolded } from './text-glob.ts';

/** Other spellings of the same option, of programs that people like to forbid it. */
const SYNONYMS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  rm: [
    ['-r', '-R', '--recursive'],
    ['-f', '--force'],
  ],
  cp: [
    ['-r', '-R', '--recursive', '-a', '--archive'],
    ['-f', '--force'],
  ],
  mv: [['-f', '--force']],
  ln: [
    ['-f', '--force'],
    ['-s', '--symbolic'],
  ],
  chmod: [['-R', '--recursive']],
  chown: [['-R', '--recursive']],
  grep: [['-r', '-R', '--recursive', '--dereference-recursive']],
  git: [
    ['-f', '--force', '--force-with-lease', '--force-if-includes', '+*'],
    ['-d', '--delete', ':*'],
    ['-n', '--no-verify'],
  ],
  npm: [
    ['-g', '--global', '--location=global'],
    ['-f', '--force'],
  ],
  curl: [
    ['-X', '--request'],
    ['-k', '--insecure'],
    ['-T', '--upload-file'],
    ['-o', '--output'],
  ],
  wget: [['-O', '--output-document']],
  docker: [
    ['-v', '--volume', '--mount'],
    ['-f', '--force'],
    ['-H', '--host'],
  ],
  apt: [['-y', '--yes', '--assume-yes']],
  kill: [['-9', '-KILL', '-SIGKILL']],
};

/** What else says the same as an option that is guarded against. */
export function synonyms(program: string, wanted: string): readonly string[] {
  if (!Object.hasOwn(SYNONYMS, program)) return [];
  return SYNONYMS[program]?.find((each) => each.includes(wanted)) ?? [];
}

/** Other names of subcommands, beginnings apart. */
const ALIASES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  npm: {
    run: ['run-script', 'rum', 'urn'],
    install: ['i', 'add', 'isnt', 'isntall'],
    ci: ['clean-install', 'ic', 'install-clean', 'isntall-clean'],
    test: ['t', 'tst'],
    uninstall: ['un', 'unlink', 'remove', 'rm', 'r'],
    exec: ['x'],
    update: ['up', 'upgrade', 'udpate'],
    link: ['ln'],
  },
  pnpm: {
    install: ['i'],
    add: ['install', 'i'],
    remove: ['rm', 'uninstall', 'un'],
    exec: ['dlx'],
    update: ['up', 'upgrade'],
  },
  kubectl: { delete: ['del'] },
  cargo: { build: ['b'], run: ['r'], test: ['t'], check: ['c'], remove: ['rm'] },
};

export function aliasesOf(program: string, wanted: string): readonly string[] {
  const table = Object.hasOwn(ALIASES, program) ? ALIASES[program] : undefined;
  return table !== undefined && Object.hasOwn(table, wanted) ? (table[wanted] ?? []) : [];
}

type Words = SimpleCommand['args'];

/**
 * Whether an option of a guard (`-rf`, `--force`), or a word behind one (`-X POST`), may be among the arguments: in any
 * place, apart or joined with others.
 */
export function mayHaveOption(
  wanted: string,
  before: string | undefined,
  args: Words,
  names: readonly string[],
): boolean {
  if (args.includes(null) || wanted === '*') return true;
  const given = args.filter((arg) => arg !== null);
  if (!wanted.startsWith('-'))
    return given.some(
      (arg) =>
        fitsGlobFolded(wanted, arg) ||
        (before !== undefined && arg.startsWith('-') && fitsGlobFolded(`-*${wanted}`, arg)),
    );
  const has = (option: string): boolean =>
    [option, ...names.flatMap((name) => synonyms(name, option))].some((each) =>
      given.some((arg) => mayBeArgument(each, arg)),
    );
  if (has(wanted)) return true;
  const letters = /^-([A-Za-z]{2,4})$/.exec(wanted)?.[1];
  return letters?.split('').every((letter) => has(`-${letter}`)) === true;
}

/** `--force` is also `--forc`, `--force=x` and, as `-f`, within `-xf`. */
export function mayBeArgument(wanted: string, arg: string): boolean {
  if (fitsGlobFolded(wanted, arg)) return true;
  if (/^--[^-]/.test(wanted) && arg.startsWith('--')) {
    const name = arg.replace(/=.*$/s, '');
    return name === wanted || (name.length > 2 && wanted.replace(/[*?=].*$/s, '').startsWith(name));
  }
  const letters = /^-([A-Za-z]+)$/.exec(wanted)?.[1];
  if (letters === undefined || !/^-[A-Za-z]/.test(arg)) return false;
  const given = /^-[A-Za-z0-9]*/.exec(arg)?.[0] ?? '';
  return letters.split('').every((letter) => given.includes(letter));
}
