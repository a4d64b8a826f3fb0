/** Which file was probably meant by a path where none is. */
import { type Dirent, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, extname, join } from 'node:path';
import { nearest } from '../../errors/nearest.ts';
import { systemCode } from '../../errors/workflow-error.ts';

/** Folders that are looked into for a file of the same name. */
const MAX_FOLDERS = 100;

/**
 * The workflow file that `path` (absolute) was probably meant to be: the same with its names spelled right or `.json`
 * at its end, else one of the same name a folder deeper. Looks at no folder's inside twice, and reads no file.
 */
export function nearestFile(path: string): string | undefined {
  return spelledRight(path) ?? aFolderDeeper(path);
}

function spelledRight(path: string): string | undefined {
  const folder = nearestFolder(dirname(path));
  if (folder === undefined) return undefined;
  // Compared without their ends: in a short name `.json` would count for most of it.
  const stems = entriesOf(folder)
    .filter((entry) => isJson(entry.name) && !entry.isDirectory())
    .map((entry) => stemOf(entry.name));
  const wanted = [stemOf(path), basename(path, extname(path))] as const;
  const found =
    wanted.find((stem) => stems.includes(stem)) ?? nearest(wanted[0], stems) ?? nearest(wanted[1], stems);
  const file = found === undefined ? undefined : join(folder, `${found}.json`);
  return file !== undefined && isFile(file) ? file : undefined;
}

/** The folder itself where it is there, else the one with the nearest name in the nearest folder around it. */
function nearestFolder(path: string): string | undefined {
  if (isFolder(path)) return path;
  const around = dirname(path);
  if (around === path) return undefined;
  const folder = nearestFolder(around);
  if (folder === undefined) return undefined;
  const same = join(folder, basename(path));
  if (isFolder(same)) return same;
  const folders = entriesOf(folder).filter((entry) => isFolder(join(folder, entry.name)));
  const found = nearest(
    basename(path),
    folders.map((entry) => entry.name),
  );
  return found === undefined ? undefined : join(folder, found);
}

function aFolderDeeper(path: string): string | undefined {
  const folder = nearestFolder(dirname(path));
  if (folder === undefined) return undefined;
  const name = `${stemOf(path)}.json`;
  return entriesOf(folder)
    .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
    .slice(0, MAX_FOLDERS)
    .map((entry) => join(folder, entry.name, name))
    .find(isFile);
}

function stemOf(path: string): string {
  return basename(path, '.json');
}

function isJson(name: string): boolean {
  return name.endsWith('.json');
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    // A suggestion less: what the caller gets is the error about the path itself.
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}

function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

function statOf(path: string): Stats | null {
  try {
    return statSync(path);
  } catch (error) {
    // Whatever keeps us from it, it is nothing to suggest.
    if (systemCode(error) === undefined) throw error;
    return null;
  }
}
