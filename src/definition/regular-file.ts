import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs';

/** The text of a whole regular file of at most `maxBytes`, as `readRegularBytes` reads it. */
export function readRegularFile(file: string, maxBytes: number): string {
  return readRegularBytes(file, maxBytes).toString('utf8');
}

/** It is no regular file, or a larger one than is read. */
export class NotRegular extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'NotRegular';
  }
}

/**
 * Reads a whole regular file of at most `maxBytes`. What a caller names may be a FIFO or a device: those would hold
 * up the daemon and every run with it, so they are refused before a byte is read. Throws NotRegular, which says why.
 */
export function readRegularBytes(file: string, maxBytes: number): Buffer {
  // Without O_NONBLOCK the open of a FIFO waits for a writer.
  const descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = fstatSync(descriptor);
    if (stat.isDirectory()) throw new NotRegular('it is a folder');
    if (!stat.isFile()) throw new NotRegular('it is no regular file');
    if (stat.size > maxBytes)
      throw new NotRegular(`it is too large: ${stat.size} bytes, ${maxBytes} are allowed`);
    return readFileSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
