import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { systemCode } from '../../errors/workflow-error.ts';
import { type LogListing, partBase } from './log-files.ts';

const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 10;

/** Where at least the last `lines` lines of a log begin, in bytes of the whole log. Reads it from its end. */
export function tailStart(folder: string, file: string, listing: LogListing, lines: number): number {
  const starts = listing.parts(file);
  let missing = lines;
  for (const start of [...starts].reverse()) {
    const { offset, found } = tailOfPart(`${partBase(folder, file, start)}.log`, missing);
    missing -= found;
    if (missing <= 0) return start + offset;
  }
  return 0;
}

/** When the first piece of a log was written; 0 when it has none yet, or none any more. */
export function firstTime(folder: string, file: string, listing: LogListing): number {
  const [start] = listing.parts(file);
  if (start === undefined) return 0;
  return withFile(`${partBase(folder, file, start)}.idx`, 0, (index) => {
    const buffer = Buffer.alloc(32);
    const count = readSync(index, buffer, 0, buffer.length, 0);
    return Number(/^(\d+) /.exec(buffer.toString('latin1', 0, count))?.[1] ?? 0);
  });
}

/** A last line without its end counts as well: one newline more is looked for, so that the first line is whole. */
function tailOfPart(file: string, lines: number): { offset: number; found: number } {
  return withFile(file, { offset: 0, found: 0 }, (log) => {
    const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    let found = 0;
    for (let end = fstatSync(log).size; end > 0; ) {
      const from = Math.max(0, end - CHUNK_BYTES);
      const count = readSync(log, buffer, 0, end - from, from);
      for (let at = count; at > 0; ) {
        at = buffer.lastIndexOf(NEWLINE, at - 1);
        if (at === -1) break;
        found += 1;
        if (found > lines) return { offset: from + at + 1, found: lines };
      }
      end = from;
    }
    return { offset: 0, found };
  });
}

/** `missing` when the file is gone: its part was dropped meanwhile. */
function withFile<T>(path: string, missing: T, read: (descriptor: number) => T): T {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return missing;
    throw error;
  }
  try {
    return read(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
