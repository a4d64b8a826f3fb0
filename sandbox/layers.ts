import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

const PROBE_TIMEOUT_MS = 2000;

/** Layers of a step's sandbox beyond its scope, as far as they work here. */
export interface Layers {
  readonly bubblewrap: { readonly path: string; readonly version: string } | null;
  /** Why bubblewrap is null, in one line; empty when it works. */
  readonly note: string;
}

/**
 * Finds out which layers work by really running them, each within 2 s: a bwrap that is installed may still be refused
 * its user namespace (Ubuntu ≥ 24.04 without an AppArmor profile for it). `searchPath` is a PATH.
 */
export async function probeLayers(searchPath: string = process.env.PATH ?? ''): Promise<Layers> {
  if (process.platform !== 'linux')
    return { bubblewrap: null, note: `bubblewrap is for Linux; this is ${process.platform}` };
  const path = findProgram('bwrap', searchPath);
  if (path === null) return { bubblewrap: null, note: 'bubblewrap is not installed' };
  const trial = await run(path, ['--ro-bind', '/', '/', 'true'], searchPath);
  if (trial.problem !== null) return { bubblewrap: null, note: `bubblewrap does not work: ${trial.problem}` };
  const told = await run(path, ['--version'], searchPath);
  return { bubblewrap: { path, version: /\d[\d.]*/.exec(told.output)?.[0] ?? 'unknown' }, note: '' };
}

/** One line that says what is missing and what to install; null when every layer works. */
export function missingLayersMessage(layers: Layers): string | null {
  if (layers.bubblewrap !== null) return null;
  const isInstalled = layers.note.startsWith('bubblewrap does not work');
  const fix = isInstalled
    ? 'allow it to make user namespaces (an AppArmor profile for bwrap)'
    : 'install the package "bubblewrap"';
  return `Steps run without a file system sandbox: ${layers.note}; ${fix}.`;
}

let notice: Promise<string | null> | undefined;

/** The same line for this machine and PATH: probed at the first call, then remembered for the life of the process. */
export function bubblewrapNotice(): Promise<string | null> {
  notice ??= probeLayers().then(missingLayersMessage);
  return notice;
}

function findProgram(name: string, searchPath: string): string | null {
  for (const folder of searchPath.split(delimiter)) {
    if (!folder.startsWith('/')) continue;
    try {
      accessSync(join(folder, name), constants.X_OK);
      return join(folder, name);
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (!['ENOENT', 'EACCES', 'ENOTDIR', 'ELOOP'].includes(code)) throw error;
    }
  }
  return null;
}

async function run(
  path: string,
  args: readonly string[],
  searchPath: string,
): Promise<{ output: string; problem: string | null }> {
  // Off the path of a step, so its convenience costs nobody: see docs/decisions/0004.
  const { execa } = await import('execa');
  const done = await execa(path, args, {
    env: { PATH: searchPath },
    extendEnv: false,
    stdin: 'ignore',
    timeout: PROBE_TIMEOUT_MS,
    killSignal: 'SIGKILL',
    reject: false,
  });
  if (!done.failed) return { output: done.stdout, problem: null };
  const said = done.stderr.trim().split('\n')[0] || done.shortMessage || 'it failed';
  return { output: done.stdout, problem: done.timedOut ? `no answer within ${PROBE_TIMEOUT_MS} ms` : said };
}
