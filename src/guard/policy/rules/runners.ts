/** Programs that are there to run the code of a project, and what in their arguments makes it other code. */
import type { SimpleCommand } from '../../command/reading.ts';
import { sureName } from './program.ts';

export const RUNNERS: ReadonlySet<string> = new Set(
  (
    'make npm npx pnpm yarn bun cargo go mvn gradle pytest tox nox jest vitest mocha tsc eslint biome docker podman ' +
    'dotnet bundle rake composer poetry uv pip ninja cmake bazel just task'
  ).split(' '),
);

/** True for a program that works on the project it is started in. Not of those that see other places: containers. */
export function isProjectRunner(program: string): boolean {
  const name = sureName(program);
  return name !== null && RUNNERS.has(name) && name !== 'docker' && name !== 'podman';
}

interface Options {
  /** Long options, without dashes; their beginnings count too. */
  readonly long: readonly string[];
  /** What else does it, at the beginning of a word. */
  readonly words?: RegExp;
  /** Where its own options end: at `--`, or at the first word that is none. */
  readonly end?: '--' | 'operand';
}

const NODE: Options = {
  long: (
    'script-shell node-options prefix local-prefix userconfig globalconfig shell editor viewer git init-module ' +
    'onload-script registry replace-registry-host proxy https-proxy cafile call package cwd dir use-yarnrc modules-folder'
  ).split(' '),
  words: /^-(C|c|p)/,
  end: '--',
};
const GO: Options = {
  long: [],
  words: /^--?(exec|toolexec|overlay|modfile|vettool|C)(=|$)|extld/,
};

/** Options that bring code, a shell, or another project or its settings. */
const OPTIONS: Readonly<Record<string, Options>> = {
  npm: NODE,
  npx: { ...NODE, end: 'operand' },
  pnpm: NODE,
  yarn: NODE,
  bun: NODE,
  make: {
    long: ['file', 'makefile', 'directory', 'include-dir', 'eval'],
    words:
      /^-[bBdeiknpqrRsStvwm]*[CfIE]|^(\.?SHELL(FLAGS)?|MAKE|MAKEFILES|MAKEFLAGS|GNUMAKEFLAGS|VPATH)[:+?!]*=/,
  },
  go: GO,
  cargo: { long: ['config', 'manifest-path'], words: /^(-C|-Z|\+)/, end: '--' },
  pytest: {
    long: ['config-file', 'rootdir', 'confcutdir'],
    words: /^(-c|-p(?!$|no:))|^(--override-ini=)?addopts/,
  },
  eslint: { long: ['rulesdir', 'resolve-plugins-relative-to'] },
  mvn: { long: ['settings', 'file'], words: /^-(s|gs|f|t|Dexec\.|Dmaven\.ext)/ },
  gradle: { long: ['init-script', 'project-dir', 'build-file', 'settings-file'], words: /^-(I|p|b|c)$/ },
};

/** Whether these arguments may make a runner run other code than that of the project it is started in. */
export function bringsCode(name: string, args: SimpleCommand['args']): boolean {
  const options = Object.hasOwn(OPTIONS, name) ? OPTIONS[name] : undefined;
  if (options === undefined) return false;
  const end =
    options.end === '--'
      ? args.indexOf('--')
      : options.end === 'operand'
        ? args.findIndex((arg) => arg !== null && !arg.startsWith('-'))
        : -1;
  const own = end === -1 ? args : args.slice(0, end);
  return own.some(
    (arg, index) =>
      arg === null || isBringer(name, options, arg) || isVariable(name, arg, own[index - 1] ?? ''),
  );
}

function isBringer(name: string, { long, words }: Options, arg: string): boolean {
  if (words?.test(arg) === true) return true;
  const given = /^--([^=]{3,})/.exec(arg)?.[1];
  if (given === undefined) return false;
  // npm takes beginnings of long options, and so does what is built on getopt.
  return long.some((each) => each === given || (name !== 'yarn' && each.startsWith(given)));
}

/** `make CC=clang` is usual, a text that a shell takes apart is none. `pytest -p NAME` loads a plugin. */
function isVariable(name: string, arg: string, before: string): boolean {
  if (name === 'pytest') return before === '-p' && !arg.startsWith('no:');
  if (name !== 'make') return false;
  const value = /^[^\s=]+?[:+?!]*=(.*)$/s.exec(arg);
  if (value === null) return false;
  const isFlags = /^\w*(FLAGS|ARGS|OPTS|LIBS)\+?=/.test(arg);
  return (
    /[:?!]=/.test(arg.slice(0, arg.indexOf('=') + 1)) ||
    !(isFlags ? /^[\w.,:@%+/= -]*$/ : /^[\w.,:@%+/-]*$/).test(value[1] ?? '')
  );
}
