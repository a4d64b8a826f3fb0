import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { ensureError, systemCode } from '../errors/workflow-error.ts';

export interface RotatedFileOptions {
  /** Path without `.log`: the file itself is `<base>.log`, older ones `<base>1.log`, `<base>2.log`, … */
  readonly base: string;
  readonly maxBytes: number;
  /** Files in all; the oldest is dropped. */
  readonly maxFiles: number;
  /** The line that stands for those that could not be written. */
  readonly lossLine: (count: number, why: string) => string;
}

/**
 * A stream of lines into a file that is turned over at its size. It never fails: on a full disk lines are counted and
 * let go, and the first one that finds room again follows a line with their number. Each write is synchronous, so
 * nothing is left to be written when the process ends.
 */
export function openRotatedFile({ base, maxBytes, maxFiles, lossLine }: RotatedFileOptions): Writable {
  let lost = 0;
  let why = '';

  const put = (line: Buffer): void => {
    const hasRoom = append(`${base}.log`, line, maxBytes);
    if (hasRoom) return;
    for (let number = maxFiles - 1; number >= 1; number -= 1) rename(base, number - 1, number);
    append(`${base}.log`, line, Number.POSITIVE_INFINITY);
  };
  return new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      try {
        put(lost === 0 ? chunk : Buffer.concat([Buffer.from(lossLine(lost, why)), chunk]));
        lost = 0;
      } catch (error) {
        lost += 1;
        why = systemCode(error) ?? ensureError(error).message;
      }
      done();
    },
  });
}

/** Appends the whole line, or nothing of it. False when the file would grow over its size. */
function append(file: string, line: Buffer, maxBytes: number): boolean {
  const descriptor = openSync(file, 'a', 0o600);
  try {
    const stat = fstatSync(descriptor);
    if (stat.size > 0 && stat.size + line.length > maxBytes) return false;
    try {
      for (let done = 0; done < line.length; ) done += writeSync(descriptor, line, done);
    } catch (error) {
      if (stat.isFile()) ftruncateSync(descriptor, stat.size);
      throw error;
    }
    return true;
  } finally {
    closeSync(descriptor);
  }
}

function rename(base: string, from: number, to: number): void {
  try {
    renameSync(`${base}${from === 0 ? '' : from}.log`, `${base}${to}.log`);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
