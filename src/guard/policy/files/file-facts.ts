import { lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { systemCode } from '../../../errors/workflow-error.ts';
import type { FileEntry, FileFacts } from '../calls/resolve-path.ts';

/** The file system as it is now. Make one for each decision: what it saw once it keeps. */
export function realFiles(): FileFacts {
  const seen = new Map<string, FileEntry>();
  const listed = new Map<string, ReturnType<FileFacts['names']>>();
  return {
    entry(path) {
      const known = seen.get(path);
      if (known !== undefined) return known;
      const entry = look(path);
      seen.set(path, entry);
      return entry;
    },
    names(folder) {
      const known = listed.get(folder);
      if (known !== undefined) return known;
      const names = list(folder);
      listed.set(folder, names);
      return names;
    },
  };
}

/** No file system at all: every path is what it is written as. For tests inside policy files. */
export const NO_FILES: FileFacts = { entry: () => ({ kind: 'missing' }), names: () => [] };

function look(path: string): FileEntry {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined) return { kind: 'missing' };
    if (stat.isSymbolicLink()) return { kind: 'link', target: readlinkSync(path) };
    if (stat.isFile()) return { kind: 'file', links: stat.nlink };
    return { kind: stat.isDirectory() ? 'folder' : 'other' };
  } catch (error) {
    // It is there and cannot be looked at, or it went away between the two calls: nobody knows.
    const code = systemCode(error);
    if (code === undefined) throw error;
    // Below a file there is nothing.
    return { kind: code === 'ENOTDIR' ? 'missing' : 'unknown' };
  }
}

function list(folder: string): ReturnType<FileFacts['names']> {
  try {
    return readdirSync(folder, { withFileTypes: true }).map((each) => ({
      name: each.name,
      isFolder: each.isDirectory(),
      isLink: each.isSymbolicLink(),
    }));
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return null;
  }
}
