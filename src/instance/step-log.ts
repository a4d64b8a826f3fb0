import { appendFileSync, closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { OutputSink, StreamName } from '../skills/output.ts';

/** A log file is turned over at this size; that many old ones are kept, the oldest is dropped. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;
const KEPT_FILES = 3;

/** The list of an instance's step logs: one JSON line each, {path, attempt, file, at}. */
export const LOG_INDEX = 'logs.jsonl';

/**
 * The log of one attempt: the bytes as they came in `<file>.log`, and beside them `<file>.idx`, a line
 * `<UTC ms> <o|e> <bytes>` for each piece, so that time and stream are known and the bytes stay untouched.
 */
export interface StepLog extends OutputSink {
  close(): void;
}

/** Opens the log of an attempt; `file` is its name without extension. Writes are synchronous: the page cache takes them. */
export function openStepLog(folder: string, file: string, path: string, attempt: number): StepLog {
  appendFileSync(join(folder, LOG_INDEX), `${JSON.stringify({ path, attempt, file, at: Date.now() })}\n`, {
    mode: 0o600,
  });
  const base = join(folder, file);
  let log = openSync(`${base}.log`, 'a', 0o600);
  let index = openSync(`${base}.idx`, 'a', 0o600);
  let size = 0;

  const turnOver = (): void => {
    closeSync(log);
    closeSync(index);
    for (let number = KEPT_FILES; number >= 1; number -= 1)
      for (const kind of ['log', 'idx']) {
        const from = number === 1 ? `${base}.${kind}` : `${base}.${number - 1}.${kind}`;
        try {
          renameSync(from, `${base}.${number}.${kind}`);
        } catch (error) {
          if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        }
      }
    log = openSync(`${base}.log`, 'a', 0o600);
    index = openSync(`${base}.idx`, 'a', 0o600);
    size = 0;
  };

  return {
    write: (stream: StreamName, chunk: Buffer) => {
      if (size > 0 && size + chunk.length > MAX_FILE_BYTES) turnOver();
      for (let done = 0; done < chunk.length; ) done += writeSync(log, chunk, done);
      writeSync(index, `${Date.now()} ${stream === 'stdout' ? 'o' : 'e'} ${chunk.length}\n`);
      size += chunk.length;
    },
    close: () => {
      closeSync(log);
      closeSync(index);
    },
  };
}
