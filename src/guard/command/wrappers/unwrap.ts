import type { Argument } from '../reading.ts';
import { BUILTINS } from './builtins.ts';
import {
  unwrapAwk,
  unwrapCode,
  unwrapDownload,
  unwrapLoader,
  unwrapMultiCall,
  unwrapPager,
  unwrapSed,
} from './code.ts';
import { unwrapGit } from './git.ts';
import { unwrapFind, unwrapParallel, unwrapXargs } from './many.ts';
import { PREFIX_NAMES, unwrapPrefix, unwrapWatch } from './prefix.ts';
import { unwrapEnv, unwrapSsh, unwrapSu, unwrapSudo } from './privilege.ts';
import { BUILDERS, INTERPRETERS } from './program-lists.ts';
import { RUNNER_NAMES, unwrapRunners } from './runners.ts';
import { SHELL_NAMES, unwrapShell } from './shells.ts';
import { NOTHING, type Unwrap, type Unwrapped } from './unwrapped.ts';

function all(names: readonly string[], unwrap: Unwrap): [string, Unwrap][] {
  return names.map((name) => [name, unwrap]);
}

/** Later entries win: what is known exactly stands behind what is known roughly. */
const TABLE: ReadonlyMap<string, Unwrap> = new Map([
  ...all(BUILDERS, unwrapCode),
  ...all(INTERPRETERS, unwrapCode),
  ...all(SHELL_NAMES, unwrapShell),
  ...all(PREFIX_NAMES, unwrapPrefix),
  ...all(RUNNER_NAMES, unwrapRunners),
  ...all(['awk', 'gawk', 'mawk', 'nawk', 'original-awk', 'igawk'], unwrapAwk),
  ...all(['less', 'more', 'most', 'pg'], unwrapPager),
  ...all(['busybox', 'toybox', 'coreutils'], unwrapMultiCall),
  ...all(['curl', 'wget', 'wcurl'], unwrapDownload),
  ...all(['sudo', 'sudoedit'], unwrapSudo),
  ...all(['su', 'runuser'], unwrapSu),
  ...all(['xargs'], unwrapXargs),
  ...all(['find'], unwrapFind),
  ...all(['parallel', 'env_parallel', 'sem'], unwrapParallel),
  ...all(['watch'], unwrapWatch),
  ...all(['env'], unwrapEnv),
  ...all(['ssh', 'slogin', 'autossh'], unwrapSsh),
  ...all(['git'], unwrapGit),
  ...all(['sed', 'ssed'], unwrapSed),
  ...Object.entries(BUILTINS),
]);

/** Whether something in the arguments of a program may run another. */
export function mayRunOthers(name: string): boolean {
  return TABLE.has(name);
}

/** What else runs when the program of this name (see tableName) is given these arguments. */
export function unwrap(name: string, args: readonly Argument[]): Unwrapped {
  const found = TABLE.get(name);
  if (found !== undefined) return found(args, name);
  return /^(?:ld-linux|ld-musl|ld\.so|ld64)/.test(name) ? unwrapLoader(args, name) : NOTHING;
}
