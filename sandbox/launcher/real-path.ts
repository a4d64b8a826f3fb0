import { lstatSync, readlinkSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { isInside } from './mount.ts';

/** What Linux follows in one path. */
const MAX_LINKS = 40;

/** The path with all links resolved; null when it is not there or out of reach. Native: a tenth of the other's system calls from JS. */
export function realPath(path: string): string | null {
  return reach(() => realpathSync.native(path));
}

/** The real path of what was opened by `path`, whatever is at that path by now; where the system does not tell, what is there. */
export function openedPath(descriptor: number, path: string): string {
  return process.platform === 'linux' ? readlinkSync(`/proc/self/fd/${descriptor}`) : realpathSync(path);
}

/**
 * As `realPath`, but null for a path on which a link in `folder` leads out of it: whoever writes there, a step for one,
 * would say what it is a path to.
 */
export function realPathHeld(path: string, folder: string): string | null {
  const real = realPath(path);
  return real === null || isInside(real, folder) || !passesThrough(path, folder) ? real : null;
}

/** Whether the kernel comes through a folder (a real path) on its way along an absolute path. */
function passesThrough(path: string, folder: string): boolean {
  for (const { place } of way(path)) if (place === null || isInside(place, folder)) return true;
  return false;
}

/**
 * The first link on the way along an absolute path to `real` that none of these users made; null where there is none.
 * Who made a link says what it is a path to. One walk says both, so that no swap meanwhile counts.
 */
export function strangeLink(path: string, real: string, makers: readonly number[]): string | null {
  let end = '/';
  for (const { place, isLink } of way(path)) {
    if (place === null) return path;
    end = place;
    if (!isLink) continue;
    const maker = lstatSync(place, { throwIfNoEntry: false })?.uid;
    if (maker === undefined || !makers.includes(maker)) return place;
  }
  return end === real ? null : path;
}

/** What the kernel comes by on its way along an absolute path, in turn; a place of null when it goes round. */
function* way(path: string): Generator<{ readonly place: string | null; readonly isLink: boolean }> {
  const left = path.split('/').toReversed();
  let at = '/';
  for (let links = 0; links <= MAX_LINKS; ) {
    const part = left.pop();
    if (part === undefined) return;
    if (part === '' || part === '.') continue;
    const next = part === '..' ? dirname(at) : join(at, part);
    const to = part === '..' ? null : reach(() => readlinkSync(next));
    yield { place: next, isLink: to !== null };
    at = to === null ? next : isAbsolute(to) ? '/' : at;
    if (to !== null) left.push(...to.split('/').toReversed());
    if (to !== null) links += 1;
  }
  yield { place: null, isLink: true };
}

function reach(look: () => string): string | null {
  try {
    return look();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // EINVAL: it is no link, or none any more. Who swaps it meanwhile gets nothing shown.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'].includes(code)) return null;
    throw error;
  }
}
