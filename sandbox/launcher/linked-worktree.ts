import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { realPath } from './real-path.ts';

const MAX_POINTER_BYTES = 4096;

/**
 * The repository that a linked git worktree belongs to, or null: without it git does not work in the workspace. What
 * `.git` says there may have been written by a step, so it counts only when the repository, which no step writes,
 * names this workspace in turn.
 */
export function linkedRepository(workspace: string): string | null {
  const pointer = readPointer(join(workspace, '.git'));
  const named = pointer === null ? null : /^gitdir: (.+)$/.exec(pointer)?.[1];
  const entry = named === null || named === undefined ? null : realPath(resolve(workspace, named));
  if (entry === null || basename(dirname(entry)) !== 'worktrees') return null;
  const back = readPointer(join(entry, 'gitdir'));
  if (back === null || realPath(back) !== join(workspace, '.git')) return null;
  return dirname(dirname(entry));
}

function readPointer(file: string): string | null {
  try {
    const stat = statSync(file);
    if (!stat.isFile() || stat.size > MAX_POINTER_BYTES) return null;
    return readFileSync(file, 'utf8').trim();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (['ENOENT', 'ENOTDIR', 'EACCES', 'ELOOP'].includes(code)) return null;
    throw error;
  }
}
