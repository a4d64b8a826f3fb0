import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { StepUser } from './ground.ts';
import { isInside, type Mount } from './mount.ts';

export interface ToolsRequest {
  /** The step's PATH. */
  readonly path: string;
  /** Its HOME; null = none. */
  readonly home: string | null;
  /** Files that it needs to run: the skill file, scripts on its command line, our Node. */
  readonly files: readonly string[];
  /** Folders to show as they are. */
  readonly folders: readonly string[];
  readonly workspace: string;
  /** Folders that are seen anyhow. */
  readonly seen: readonly string[];
  readonly hidden: readonly string[];
  readonly user: StepUser | null;
}

export interface ToolsView {
  readonly mounts: readonly Mount[];
  /** What of the host they show. */
  readonly shown: readonly string[];
}

/** A folder of programs of this name needs what lies beside it: bin/ its lib/, the shims of a version manager all. */
const PROGRAM_FOLDERS = new Set(['bin', 'sbin', 'shims', '.bin']);
/** Tokens that lie among the programs of cargo and npm. */
const TOKEN_FILES = ['credentials', 'credentials.toml', '.npmrc', '.netrc'];

/**
 * Read-only views of the programs that a step needs outside the system: the folders on its PATH and of its files.
 * Never a folder that holds the home, the workspace or something hidden: of such a one the file alone is shown.
 */
export function toolsView(request: ToolsRequest): ToolsView {
  const keep = new Map<string, string>();
  const kept = keptFolders(request);
  const offer = (path: string): boolean => {
    if (isSeen(path, request)) return false;
    const real = realPath(path);
    if (real === null || isTooWide(real, kept, request)) return false;
    if (!isReachable(real, request.user)) return false;
    for (const target of new Set([path, real])) if (!isSeen(target, request)) keep.set(target, real);
    return true;
  };
  for (const folder of new Set(request.path.split(':'))) {
    if (!folder.startsWith('/')) continue;
    for (const each of new Set([folder, realPath(folder) ?? folder])) if (!offer(prefixOf(each))) offer(each);
  }
  for (const folder of request.folders) offer(folder);
  for (const file of request.files)
    if (!offer(prefixOf(dirname(file)))) if (!offer(dirname(file))) offer(file);
  const targets = [...keep.keys()]
    .sort()
    .filter((target, _, all) => !all.some((other) => other !== target && isInside(target, other)));
  return {
    mounts: targets.flatMap((target) => [
      { kind: 'show', source: { path: keep.get(target) ?? target }, target, access: 'read' } as const,
      ...tokens(target),
    ]),
    shown: targets.flatMap((target) => [target, keep.get(target) ?? target]),
  };
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
function keptFolders({ home, workspace, hidden, user }: ToolsRequest): string[] {
  const homes = ['/root', home, user?.home ?? null].filter((each) => each !== null);
  const folders = new Set([...homes, ...homes.map((each) => join(each, '.local')), workspace, ...hidden]);
  return [...folders].map((folder) => realPath(folder) ?? folder);
}

function tokens(folder: string): Mount[] {
  return TOKEN_FILES.map((name) => join(folder, name))
    .filter((file) => realPath(file) !== null)
    .map((target) => ({ kind: 'mask', target }));
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

/** The path with all links resolved; null when it is not there or out of reach. Native: a tenth of the other's system calls from JS. */
export function realPath(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    // EINVAL: what was a link a moment ago is none any more. Who swaps it meanwhile gets nothing shown.
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'].includes(code)) return null;
    throw error;
  }
}
