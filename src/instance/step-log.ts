import { closeSync, fstatSync, ftruncateSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputSink, StreamName } from '../skills/output.ts';
import { isFull, whenThereIsRoom } from './room.ts';

/** A part of a log is closed at this size and the next one begun; that many closed ones are kept. */
const MAX_PART_BYTES = 64 * 1024 * 1024;
const KEPT_PARTS = 3;

/** The list of an instance's step logs: one JSON line each, {path, attempt, file, at}. */
export const LOG_INDEX = 'logs.jsonl';

/**
 * The log of one attempt, in parts: the bytes as they came in `<file>.log`, and beside them `<file>.idx`, a line
 * `<UTC ms> <o|e> <bytes>` for each piece, so that time and stream are known and the bytes stay untouched. Later parts
 * are `<file>.<start>.log` and `.idx`, where `start` counts the bytes of all parts before. No file changes its name:
 * a reader holds the part that it reads, knows the next one by its number, and how much is gone when one was dropped.
 */
export interface StepLog extends OutputSink {
  close(): void;
}

interface Part {
  readonly base: string;
  readonly log: number;
  readonly index: number;
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
  maxPartBytes = MAX_PART_BYTES,
): Promise<StepLog> {
  await whenThereIsRoom(() => addToList(folder, { path, attempt, file, at: Date.now() }), signal);
  // Most steps print nothing: the files are made at the first piece.
  let part: Part | null = null;
  let start = 0;
  let size = 0;
  const closed: string[] = [];

  const open = (): Part => {
    part ??= openPart(join(folder, start === 0 ? file : `${file}.${start}`));
    return part;
  };
  const close = (): void => {
    if (part === null) return;
    closeSync(part.log);
    closeSync(part.index);
    closed.push(part.base);
    part = null;
  };
  const turnOver = (): void => {
    close();
    start += size;
    size = 0;
    for (const base of closed.splice(0, closed.length - KEPT_PARTS)) {
      rmSync(`${base}.idx`, { force: true });
      rmSync(`${base}.log`, { force: true });
    }
  };

  const put = (stream: StreamName, chunk: Buffer): void => {
    if (size > 0 && size + chunk.length > maxPartBytes) turnOver();
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
        return whenThereIsRoom(() => put(stream, chunk), signal).then(() => undefined);
      }
    },
    close,
  };
}

/** The index last: who sees it finds the log. */
function openPart(base: string): Part {
  const log = openSync(`${base}.log`, 'a', 0o600);
  try {
    return { base, log, index: openSync(`${base}.idx`, 'a', 0o600) };
  } catch (error) {
    closeSync(log);
    throw error;
  }
}

function addToList(folder: string, entry: object): void {
  const list = openSync(join(folder, LOG_INDEX), 'a+', 0o600);
  try {
    // On a line of its own: a crash may have cut the one before.
    appendWhole(list, Buffer.from(`${isAtLineStart(list) ? '' : '\n'}${JSON.stringify(entry)}\n`));
  } finally {
    closeSync(list);
  }
}

function isAtLineStart(descriptor: number): boolean {
  const { size } = fstatSync(descriptor);
  const last = Buffer.alloc(1);
  return size === 0 || (readSync(descriptor, last, 0, 1, size - 1) === 1 && last.toString() === '\n');
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
