import { DatabaseSync } from 'node:sqlite';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';

export interface Lock {
  release(): void;
}

/**
 * Takes a lock between processes: an exclusive transaction held open on a file of its own, which the kernel
 * releases with the process, however that ends (Node has no flock). Null when another process has it; throws
 * HOME_UNWRITABLE when the file cannot be used.
 */
export function takeLock(file: string): Lock | null {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { timeout: 0 });
    // No journal file may be left behind, and nothing is ever written: the lock is all we want.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const thrown = ensureError(error);
    const code = 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : 0;
    // SQLITE_BUSY and SQLITE_LOCKED
    if (code === 5 || code === 6) return null;
    throw new WorkflowError('HOME_UNWRITABLE', `cannot lock ${file}: ${thrown.message}`, { cause: error });
  }
  const held = database;
  return { release: () => held.close() };
}
