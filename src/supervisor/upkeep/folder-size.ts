import { execFile } from 'node:child_process';
import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';

/** More entries than this are for another process to count. */
const MAX_ENTRIES = 200_000;
const COUNT_TIMEOUT_MS = 60_000;

/**
 * Bytes that a folder takes on its disk, with all below it: blocks, not lengths, so that a sparse file counts what it
 * holds. A file with several names counts once, links are not followed, what vanishes meanwhile counts nothing. Steps
 * choose what is in it: where there are very many files, or folders so deep that no path names them, `du` counts.
 */
export async function folderSize(folder: string, maxEntries: number = MAX_ENTRIES): Promise<number> {
  try {
    return (await countHere(folder, maxEntries)) ?? (await countByProcess(folder));
  } catch (error) {
    if (systemCode(error) === 'ENAMETOOLONG') return await countByProcess(folder);
    throw error;
  }
}

/** Null when there is more in it than that. */
async function countHere(folder: string, maxEntries: number): Promise<number | null> {
  const seen = new Set<string>();
  const folders = [folder];
  let bytes = 0;
  let entries = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const name of await namesIn(next, maxEntries)) {
      entries += 1;
      if (entries > maxEntries) return null;
      const path = join(next, name);
      const stat = await lstat(path).catch(ignoreGone);
      if (stat === null) continue;
      const key = `${stat.dev}:${stat.ino}`;
      if (stat.nlink > 1 && !stat.isDirectory() && seen.has(key)) continue;
      seen.add(key);
      bytes += stat.blocks * 512;
      if (stat.isDirectory()) folders.push(path);
    }
  }
  return bytes;
}

/** It goes down by descriptors. What it cannot look into it says on stderr, and counts the rest. */
function countByProcess(folder: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const options = { cwd: '/', env: { PATH: '/usr/bin:/bin', LC_ALL: 'C' }, timeout: COUNT_TIMEOUT_MS };
    execFile('du', ['-sk', '--', folder], options, (error, stdout) => {
      const kilobytes = /^\d+/.exec(stdout)?.[0];
      if (kilobytes !== undefined) resolve(Number(kilobytes) * 1024);
      else reject(error ?? new Error(`du said nothing of ${folder}`));
    });
  });
}

async function namesIn(folder: string, maxEntries: number): Promise<string[]> {
  const names: string[] = [];
  const opened = await opendir(folder).catch(ignoreGone);
  if (opened === null) return names;
  for await (const entry of opened) {
    names.push(entry.name);
    if (names.length > maxEntries) break;
  }
  return names;
}

function ignoreGone(error: unknown): null {
  if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return null;
  throw error;
}
