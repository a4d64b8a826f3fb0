import { realpathSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { deniedBy } from '../files/denied-paths.ts';
import type { RunnerRequest } from './request.ts';

/**
 * The real path of what `path` names, links resolved, from the working folder. Throws an Error for one outside of the
 * roots. Between this look and its use a link may be changed: then the mounts of the sandbox are what holds.
 */
export function placeOf(path: string, roots: readonly string[]): string {
  const real = realOf(resolve(path));
  if (roots.some((root) => isInside(real, realOf(root)))) return real;
  throw new Error(`${path} lies outside of the workspace`);
}

/** Of a path that is not there yet, its folder counts. */
function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || dirname(path) === path) throw error;
    return join(realOf(dirname(path)), basename(path));
  }
}

function isInside(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (!way.startsWith('../') && way !== '..' && !way.startsWith('/'));
}

/** Tells whether the agent file denies a path that was come upon. */
export function isDeniedBy({
  roots,
  denied,
}: Pick<RunnerRequest, 'roots' | 'denied'>): (path: string) => boolean {
  const { patterns, home } = denied;
  // What is come upon is named by its real path.
  const workspace = realOf(roots[0] ?? '/');
  return (path) => patterns.length > 0 && deniedBy(patterns, path, { workspace, home }) !== null;
}
