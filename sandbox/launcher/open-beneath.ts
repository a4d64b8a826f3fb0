import {
  closeSync,
  constants,
  fstatSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  unlinkSync,
} from 'node:fs';
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
  owner: Owner | null,
): void {
  for (const [index, part] of parts.entries()) {
    const parent = openBeneath(folder, parts.slice(0, index));
    const kind = index < parts.length - 1 ? 'folder' : last;
    try {
      if (owner === null) make(inFolder(parent, part), kind);
      else makeFor(owner, parent, part, kind);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && IS_THERE.has(String(error.code)))) throw error;
    } finally {
      closeSync(parent);
    }
  }
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** What mkdir, open, link and rename say where something is in the place. */
const IS_THERE = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR']);

/** What link says on a file system that has no second names; a rename would replace what came meanwhile. */
const WITHOUT_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

function make(path: string, kind: 'folder' | 'file'): void {
  if (kind === 'folder') mkdirSync(path);
  else closeSync(openSync(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o666));
}

/** Beside its place until it has its owner: what a crash left ours there, no later step could write to. */
function makeFor(owner: Owner, parent: number, part: string, kind: 'folder' | 'file'): void {
  const path = inFolder(parent, part);
  if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) return;
  const fresh = inFolder(parent, `.q-workflow-${process.pid}-${process.hrtime.bigint()}.new`);
  make(fresh, kind);
  try {
    lchownSync(fresh, owner.uid, owner.gid);
    // Neither replaces what came into the place meanwhile, but for an empty folder.
    if (kind === 'folder') renameSync(fresh, path);
    else linkOrMake(fresh, path, owner);
  } finally {
    removeOwn(fresh, kind);
  }
}

function linkOrMake(fresh: string, path: string, owner: Owner): void {
  try {
    linkSync(fresh, path);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && WITHOUT_LINKS.has(String(error.code)))) throw error;
    make(path, 'file');
    lchownSync(path, owner.uid, owner.gid);
  }
}

/** A folder is gone from here once it is in its place. */
function removeOwn(fresh: string, kind: 'folder' | 'file'): void {
  try {
    if (kind === 'folder') rmdirSync(fresh);
    else unlinkSync(fresh);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

function inFolder(descriptor: number, name: string): string {
  if (name !== '.' && basename(name) !== name) throw new Error(`"${name}" is no name of one file`);
  return `/proc/self/fd/${descriptor}/${name}`;
}
