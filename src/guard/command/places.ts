import { posix } from 'node:path';
import { type Argument, LIMITS } from './reading.ts';

/** The directories that a command may run in, from the one the whole command starts in; grows with each `cd`. */
export interface Places {
  list: readonly Argument[];
  /** Where the moves since it was last emptied lead, if they succeed. */
  entered?: readonly Argument[];
}

export const START: readonly Argument[] = ['.'];

/**
 * After `cd target` the shell is where it was (the `cd` may fail, or stand in a subshell or a branch not taken) or in
 * the target. Bash resolves `..` by the text of its path, the kernel by the directory: both are kept.
 */
export function changeDirectory(places: Places, target: Argument): void {
  const entered = new Set(places.entered);
  for (const place of places.list) {
    const joined = joinPath(place, target);
    entered.add(joined);
    if (joined !== null) entered.add(posix.normalize(joined));
  }
  places.entered = [...entered];
  const next = new Set([...places.list, ...entered]);
  places.list = next.size > LIMITS.directories ? [null] : [...next];
}

/** The paths that `path` may mean; null where one can't be known. */
export function pathsFrom(list: readonly Argument[], path: Argument): Argument[] {
  return [...new Set(list.map((place) => joinPath(place, path)))];
}

function joinPath(place: Argument, path: Argument): Argument {
  if (path === null) return null;
  if (path.startsWith('/')) return path;
  if (place === null) return null;
  // Not normalised: `link/..` is the parent of what the link points to.
  return place === '.' ? path : `${place}/${path}`;
}
