import { closeSync, constants, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { systemCode } from '../errors/workflow-error.ts';

/** Has a file, or the names in a folder, on the disk when it returns: a power cut takes neither back (fsync(2)). */
export function syncPath(path: string): void {
  const descriptor = openSync(path, constants.O_RDONLY);
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Makes a folder of the state folder that nobody else may enter; its parent is there. Nothing to do when it is. */
export function makePrivate(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}
