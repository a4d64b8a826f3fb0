import { closeSync, constants, fstatSync, openSync, readSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import { type Home, instanceFolder } from '../../protocol/home.ts';

const TAIL_BYTES = 8192;
const MAX_WORDS = 200;

/** Opens the log for the process of an incarnation to write: normally nothing, and when it dies of something, that. */
export function openHostLog(home: Home, id: string, incarnation: number): number {
  return openOwn(
    hostLogFile(home, id, incarnation),
    constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT,
  );
}

/** The end of what the process printed; empty when there is no log. A log of nothing is removed. */
export function readHostLog(home: Home, id: string, incarnation: number): string {
  const path = hostLogFile(home, id, incarnation);
  let file: number;
  try {
    file = openOwn(path, constants.O_RDONLY);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
    return '';
  }
  try {
    const { size } = fstatSync(file);
    if (size === 0) unlinkSync(path);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    return buffer.toString('utf8', 0, readSync(file, buffer, 0, buffer.length, size - buffer.length));
  } finally {
    closeSync(file);
  }
}

/** The message that a dying process wrote last, in one line, without its stack; empty when there is none. */
export function lastWords(log: string): string {
  const words =
    log
      .split('\n')
      .findLast((line) => /^[A-Z]\w*(Error|Exception)?\b.*: /.test(line))
      ?.trim() ?? '';
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS - 1)}…` : words;
}

/** A file for each incarnation, so that the last words of one are not taken for those of the next. */
function hostLogFile(home: Home, id: string, incarnation: number): string {
  return join(instanceFolder(home, id), `host-${incarnation}.log`);
}

/**
 * The folder is the instance's own, the hand that opens is the supervisor's: through no link, and not blocked by a
 * FIFO that a step may have put there.
 */
function openOwn(path: string, flags: number): number {
  const file = openSync(path, flags | constants.O_NOFOLLOW | constants.O_NONBLOCK, 0o600);
  const stat = fstatSync(file);
  if (stat.isFile() && stat.nlink === 1) return file;
  closeSync(file);
  throw new WorkflowError('HOME_UNSAFE', `${path} is not a plain file of one name`);
}
