import { closeSync, fstatSync, lstatSync, type Stats } from 'node:fs';
import { holdFolder } from './open-beneath.ts';
import { isPrivate } from './private-places.ts';
import { openedPath, realPath, strangeLink } from './real-path.ts';

export interface WorkspaceOwner {
  readonly uid: number;
  readonly gid: number;
  /** Why it must not be a workspace, in a few words; null when it may. */
  readonly fault: string | null;
}

/**
 * Whose folder a workspace is. A step of another run, in a workspace around this one, may have put a link in its place
 * or above it: under root that would choose whom our steps run as, anywhere what they see. So links count that root,
 * we or the owner of what they lead to made, and none counts that leads to what a home keeps private. Null where no
 * folder is: that fails later, with a better word.
 */
export function workspaceOwner(workspace: string): WorkspaceOwner | null {
  const real = realPath(workspace);
  const owner = real === null ? null : ownerOf(real);
  if (real === null || owner === null) return null;
  const { uid, gid } = owner;
  if (isPrivate(real) && !isPrivate(workspace))
    return { uid, gid, fault: `the workspace ${workspace} leads to ${real}, which a home keeps private` };
  const link = strangeLink(workspace, real, [0, process.getuid?.() ?? 0, uid]);
  return {
    uid,
    gid,
    fault: link === null ? null : `${link}, on the way to the workspace, is a link of somebody else`,
  };
}

/** Null when something else is there by now: only what lies at this very path is looked at. */
function ownerOf(real: string): Stats | null {
  if (process.platform !== 'linux') return lstatSync(real, { throwIfNoEntry: false }) ?? null;
  let held: number;
  try {
    held = holdFolder(real);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(code)) return null;
    throw error;
  }
  try {
    return openedPath(held, real) === real ? fstatSync(held) : null;
  } finally {
    closeSync(held);
  }
}
