import { statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StepUser } from './ground.ts';
import { isInside, type Mount } from './mount.ts';
import { coversBelow, isPrivate } from './private-places.ts';
import { realPath, realPathHeld } from './real-path.ts';

export interface ToolsRequest {
  /** The step's PATH. */
  readonly path: string;
  /** Homes that are none of its business; absolute. */
  readonly homes: readonly string[];
  /** Files that it needs to run: the skill file, scripts on its command line, our Node. */
  readonly files: readonly string[];
  /** Folders to show as they are. */
  readonly folders: readonly string[];
  /** A real path. */
  readonly workspace: string;
  /** Folders that are seen anyhow. */
  readonly seen: readonly string[];
  readonly hidden: readonly string[];
  readonly user: StepUser | null;
}

/** A folder of programs of this name needs what lies beside it: bin/ its lib/, the shims of a version manager all. */
const PROGRAM_FOLDERS = new Set(['bin', 'sbin', 'shims', '.bin']);

/**
 * Read-only views of the programs that a step needs outside the system: the folders on its PATH and of its files.
 * Never a folder that holds the home, the workspace or something hidden: of such a one the file alone is shown. Never
 * what a home keeps private. Steps write the workspace, so no link in it leads to anything outside: what is in it is
 * seen as the view of the workspace shows it, also by a path from elsewhere.
 */
export function toolsView(request: ToolsRequest): Mount[] {
  const keep = new Map<string, string>();
  const kept = keptFolders(request);
  const realOf = (path: string): string | null => {
    const real = isOfKernel(path) ? null : realPathHeld(path, request.workspace);
    return real === null || isPrivate(real) || isOfKernel(real) ? null : real;
  };
  const offer = (path: string): boolean => {
    if (isSeen(path, request)) return false;
    const real = realOf(path);
    if (real === null || isTooWide(real, kept, request)) return false;
    if (!isReachable(real, request.user)) return false;
    for (const target of new Set([path, real])) if (!isSeen(target, request)) keep.set(target, real);
    return true;
  };
  for (const folder of new Set(request.path.split(':'))) {
    const real = folder.startsWith('/') ? realOf(folder) : null;
    if (real === null) continue;
    for (const each of new Set([folder, real])) if (!offer(prefixOf(each))) offer(each);
  }
  for (const folder of request.folders) offer(folder);
  for (const file of request.files.filter((each) => realOf(each) !== null))
    if (!offer(prefixOf(dirname(file)))) if (!offer(dirname(file))) offer(file);
  const targets = [...keep.keys()]
    .sort()
    .filter((target, _, all) => !all.some((other) => other !== target && isInside(target, other)));
  return targets.flatMap((target) => {
    const source = keep.get(target) ?? target;
    if (isInside(target, request.workspace)) return [];
    if (isInside(source, request.workspace)) return [{ kind: 'link', target, to: source }];
    return [
      { kind: 'show', source: { path: source }, target, access: 'read' },
      ...coversBelow(source, target, (path) => isReachable(path, request.user)),
    ];
  });
}

/** What the kernel makes up as it is asked: a step has its own, and `/proc/self` of the launcher is not that of the step. */
function isOfKernel(path: string): boolean {
  return ['/proc', '/sys', '/dev'].some((folder) => isInside(path, folder));
}

function prefixOf(folder: string): string {
  return PROGRAM_FOLDERS.has(basename(folder)) ? dirname(folder) : folder;
}

function isSeen(path: string, { seen }: ToolsRequest): boolean {
  return seen.some((folder) => isInside(path, folder));
}

/** It would show more than programs: a folder at the top, a home, what others keep beside the workspace. */
function isTooWide(real: string, kept: readonly string[], { hidden }: ToolsRequest): boolean {
  const isShared = dirname(real) === '/' || dirname(real) === '/home';
  if (isShared || hidden.some((folder) => isInside(real, folder))) return true;
  return kept.some((folder) => isInside(folder, real));
}

/** Real paths of what no view of programs may hold. */
function keptFolders({ homes, workspace, hidden }: ToolsRequest): string[] {
  const folders = new Set([...homes, ...homes.map((each) => join(each, '.local')), workspace, ...hidden]);
  return [...folders].map((folder) => realPath(folder) ?? folder);
}

/** Whether another user could come here by itself: if not, neither can the view that is made in its name. */
function isReachable(real: string, user: StepUser | null): boolean {
  if (user === null) return true;
  for (let path = real; ; path = dirname(path)) {
    const { mode, uid, gid } = statSync(path);
    const bits = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode;
    if ((bits & 1) === 0 && statSync(path).isDirectory()) return false;
    if (path === '/') return true;
  }
}
