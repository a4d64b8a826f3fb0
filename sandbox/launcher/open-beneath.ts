import { closeSync, constants, fstatSync, lchownSync, mkdirSync, openSync } from 'node:fs';
import { basename } from 'node:path';

/** O_PATH: Node has no name for it. The same number on x86_64 and aarch64. */
const O_PATH = 0o10000000;
const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** A descriptor of a folder, held so that whatever happens to its path does not matter. The caller closes it. */
export function holdFolder(path: string): number {
  return openSync(path, O_PATH | O_DIRECTORY | O_NOFOLLOW);
}

/**
 * A descriptor of what lies at `parts` below a held folder, following no link on the way: each part is opened in the
 * folder before it, so nobody can lead us out by swapping a folder for a link meanwhile. The caller closes it.
 * Throws ELOOP or ENOTDIR at a link, ENOENT where nothing is.
 */
export function openBeneath(folder: number, parts: readonly string[]): number {
  let current = openSync(inFolder(folder, '.'), O_PATH | O_DIRECTORY);
  for (const [index, part] of parts.entries()) {
    const isLast = index === parts.length - 1;
    const parent = current;
    try {
      current = openSync(inFolder(parent, part), O_PATH | O_NOFOLLOW | (isLast ? 0 : O_DIRECTORY));
    } finally {
      closeSync(parent);
    }
  }
  // With O_PATH a link is opened, not refused, when it comes last.
  if (!fstatSync(current).isSymbolicLink()) return current;
  closeSync(current);
  throw Object.assign(new Error(`"${parts.join('/')}" is a link`), { code: 'ELOOP' });
}

/** Makes what is missing of `parts` below a held folder: folders, and at the end a folder or an empty file. */
export function makeBeneath(
  folder: number,
  parts: readonly string[],
  last: 'folder' | 'file',
  owner: { readonly uid: number; readonly gid: number } | null,
): void {
  for (const [index, part] of parts.entries()) {
    const parent = openBeneath(folder, parts.slice(0, index));
    const path = inFolder(parent, part);
    try {
      if (index < parts.length - 1 || last === 'folder') mkdirSync(path);
      else closeSync(openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o666));
      if (owner !== null) lchownSync(path, owner.uid, owner.gid);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    } finally {
      closeSync(parent);
    }
  }
}

function inFolder(descriptor: number, name: string): string {
  if (name !== '.' && basename(name) !== name) throw new Error(`"${name}" is no name of one file`);
  return `/proc/self/fd/${descriptor}/${name}`;
}
