import { DatabaseSync } from 'node:sqlite';
import { ensureError, WorkflowError } from '../errors/workflow-error.ts';

export interface HomeLock {
  release(): void;
}

/**
 * Takes the lock of a home: an exclusive transaction held open on a file of its own, which the kernel releases
 * with the process, however that ends (Node has no flock). Throws SUPERVISOR_RUNNING when another process has it.
 */
export function lockHome(lockFile: string): HomeLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(lockFile, { timeout: 0 });
    // No journal file may be left behind, and nothing is ever written: the lock is all we want.
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
  } catch (error) {
    database?.close();
    const thrown = ensureError(error);
    const code = 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : 0;
    if (code === 5 || code === 6)
      throw new WorkflowError('SUPERVISOR_RUNNING', `another supervisor holds ${lockFile}`, { cause: error });
    throw new WorkflowError('HOME_UNWRITABLE', `cannot lock ${lockFile}: ${thrown.message}`, {
      cause: error,
    });
  }
  const held = database;
  return { release: () => held.close() };
}
