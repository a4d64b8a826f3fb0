import { lstat, opendir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';

/** A folder with more entries than this is not counted to its end: what was seen so far counts. */
const MAX_ENTRIES = 200_000;

/**
 * Bytes that a folder takes on its disk, with all below it: blocks, not lengths, so that a sparse file counts what it
 * holds. A file with several names counts once, links are not followed, what vanishes meanwhile counts nothing.
 */
export async function folderSize(folder: string): Promise<number> {
  const seen = new Set<string>();
  const folders = [folder];
  let bytes = 0;
  let entries = 0;
  for (let next = folders.pop(); next !== undefined; next = folders.pop()) {
    for (const name of await namesIn(next)) {
      entries += 1;
      if (entries > MAX_ENTRIES) return bytes;
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

async function namesIn(folder: string): Promise<string[]> {
  const names: string[] = [];
  const opened = await opendir(folder).catch(ignoreGone);
  if (opened === null) return names;
  for await (const entry of opened) {
    names.push(entry.name);
    if (names.length > MAX_ENTRIES) break;
  }
  return names;
}

function ignoreGone(error: unknown): null {
  if (['ENOENT', 'ENOTDIR', 'EACCES'].includes(systemCode(error) ?? '')) return null;
  throw error;
}
