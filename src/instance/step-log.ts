import { closeSync, fstatSync, ftruncateSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemCode } from '../errors/workflow-error.ts';
import type { OutputSink, StreamName } from '../skills/output.ts';

/** A log file is turned over at this size; that many old ones are kept, the oldest is dropped. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const KEPT_FILES = 3;
/** How often a write is tried again while the disk is full. */
const RETRY_MS = 500;

/** The list of an instance's step logs: one JSON line each, {path, attempt, file, at}. */
export const LOG_INDEX = 'logs.jsonl';

/**
 * The log of one attempt: the bytes as they came in `<file>.log`, and beside them `<file>.idx`, a line
 * `<UTC ms> <o|e> <bytes>` for each piece, so that time and stream are known and the bytes stay untouched.
 */
export interface StepLog extends OutputSink {
  close(): void;
}

/**
 * Opens the log of an attempt; `file` is its name without extension. Writes are synchronous (the page cache takes
 * them) but on a full disk: there a write, and so the step behind it, waits until space is free or `signal` aborts.
 */
export async function openStepLog(
  folder: string,
  file: string,
  path: string,
  attempt: number,
  signal: AbortSignal,
): Promise<StepLog> {
  await whenThereIsRoom(() => addToList(folder, { path, attempt, file, at: Date.now() }), signal);
  const base = join(folder, file);
  // Most steps print nothing: the files are made at the first piece.
  let files: { readonly log: number; readonly index: number } | null = null;
  let size = 0;

  const open = (): { readonly log: number; readonly index: number } => {
    files ??= { log: openSync(`${base}.log`, 'a', 0o600), index: openSync(`${base}.idx`, 'a', 0o600) };
    return files;
  };
  const close = (): void => {
    if (files === null) return;
    closeSync(files.log);
    closeSync(files.index);
    files = null;
  };
  const turnOver = (): void => {
    close();
    for (let number = KEPT_FILES; number >= 1; number -= 1)
      for (const kind of ['log', 'idx']) {
        const from = number === 1 ? `${base}.${kind}` : `${base}.${number - 1}.${kind}`;
        try {
          renameSync(from, `${base}.${number}.${kind}`);
        } catch (error) {
          if (systemCode(error) !== 'ENOENT') throw error;
        }
      }
    size = 0;
  };

  const put = (stream: StreamName, chunk: Buffer): void => {
    if (size > 0 && size + chunk.length > MAX_FILE_BYTES) turnOver();
    const { log, index } = open();
    const before = fstatSync(log).size;
    appendWhole(log, chunk);
    try {
      appendWhole(index, Buffer.from(`${Date.now()} ${stream === 'stdout' ? 'o' : 'e'} ${chunk.length}\n`));
    } catch (error) {
      ftruncateSync(log, before);
      throw error;
    }
    size += chunk.length;
  };

  return {
    write: (stream, chunk) => {
      try {
        put(stream, chunk);
        return undefined;
      } catch (error) {
        if (!isFull(error)) throw error;
        return whenThereIsRoom(() => put(stream, chunk), signal);
      }
    },
    close,
  };
}

function addToList(folder: string, entry: object): void {
  const list = openSync(join(folder, LOG_INDEX), 'a', 0o600);
  try {
    appendWhole(list, Buffer.from(`${JSON.stringify(entry)}\n`));
  } finally {
    closeSync(list);
  }
}

/** Appends all or nothing: what a full disk took of it is cut off again, so that positions stay true. */
function appendWhole(descriptor: number, bytes: Buffer): void {
  const { size } = fstatSync(descriptor);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done);
  } catch (error) {
    ftruncateSync(descriptor, size);
    throw error;
  }
}

/** Does it, again and again while the disk is full. Given up without an error when `signal` aborts. */
async function whenThereIsRoom(act: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted)
    try {
      act();
      return;
    } catch (error) {
      if (!isFull(error)) throw error;
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
}

function isFull(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT';
}
