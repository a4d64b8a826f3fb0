import { closeSync, constants, fstatSync, openSync, readFileSync, realpathSync } from 'node:fs';
import { relative } from 'node:path';
import { isPrivate } from '../../../sandbox/launcher/private-places.ts';
import { openedPath, strangeLink } from '../../../sandbox/launcher/real-path.ts';
import { locateHome } from '../../protocol/home.ts';

const MAX_FILE_BYTES = 1024 * 1024;

/**
 * The text of a file that is to be told to a model. It may lie in a workspace, which steps write: one that put a link
 * there would have us, who may read more than it, read out what the sandbox hides. So no link leads to what a home keeps
 * private, to the state folder, nor where its maker does not own what it leads to. A pipe or device is never read: it
 * would hold up whoever reads. With `near` only what lies in one of these folders is read. Looks at what was opened, so
 * that no swap meanwhile counts. Throws an Error that says why.
 */
export function readAgentFile(file: string, near: readonly string[] | null = null): string {
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (!stat.isFile()) throw new Error('it is no regular file');
    if (stat.size > MAX_FILE_BYTES) throw new Error('it is larger than 1 MiB');
    const real = openedPath(descriptor, file);
    const why = real === file ? null : linkFault(file, real, stat.uid);
    if (why !== null) throw new Error(why);
    if (near !== null && !near.some((folder) => isWithin(real, realpathSync(folder))))
      throw new Error('it lies neither beside the agent file nor in the workspace');
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

function linkFault(file: string, real: string, uid: number): string | null {
  if (isPrivate(real) && !isPrivate(file)) return 'it is a link to what a home keeps private';
  if (isWithin(real, realOr(locateHome().folder))) return 'it is a link into the state folder';
  const link = strangeLink(file, real, [0, process.getuid?.() ?? 0, uid]);
  return link === null ? null : `${link} is a link of somebody else`;
}

function realOr(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    // Nothing is in a folder that is not there.
    return folder;
  }
}

function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way !== '' && !way.startsWith('..') && !way.startsWith('/');
}
