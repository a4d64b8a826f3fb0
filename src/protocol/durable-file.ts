import {
  closeSync,
  constants,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** The name of a file, and the process that was to put it in place. */
const UNFINISHED = /^(.+)\.(\d+)\.new$/;

/**
 * Puts a file in place as a whole and with its mode, on the disk when it returns: written beside, synced, renamed.
 * Links in the place of the file are replaced, not followed. A crash leaves what `readUnfinished` knows by its name.
 */
export function writeDurably(file: string, text: string, mode = 0o600): void {
  const fresh = `${file}.${process.pid}.new`;
  try {
    writeSynced(fresh, text, mode);
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
  syncFolder(dirname(file));
}

/** The file that one of this name was to become, and the process that was writing it; null for any other name. */
export function readUnfinished(name: string): { readonly file: string; readonly pid: number } | null {
  const [, file, pid] = UNFINISHED.exec(name) ?? [];
  return file === undefined ? null : { file, pid: Number(pid) };
}

function writeSynced(file: string, text: string, mode: number): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW;
  const descriptor = openSync(file, flags, 0o600);
  try {
    // Not writeSync: on a disk that is nearly full that writes a part, and says so by a number alone.
    writeFileSync(descriptor, text);
    // Whatever the umask is, and a file of that name had.
    fchmodSync(descriptor, mode);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** What was created, renamed or removed in a folder is on the disk when it returns. */
export function syncFolder(folder: string): void {
  const descriptor = openSync(folder, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
