/** A database file as a whole: whether it can be used, and what its errors mean. */
import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { ensureError, ensureWorkflowError, systemCode, WorkflowError } from '../errors/workflow-error.ts';
import { checkVersion } from './tables/migrations.ts';

/** Checks a file before a connection that may write is opened: that alone would change the header, or checkpoint. */
export function checkFile(file: string): void {
  // With a rollback journal beside it (a crash at its very making) only a writing connection can read it.
  if (!existsSync(file) || existsSync(`${file}-journal`)) return;
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    checkIntegrity(database);
    checkVersion(database);
  } finally {
    database.close();
  }
}

/** Reads every page of a small database, the head of a large one (a full check of 256 MB takes seconds). */
function checkIntegrity(database: DatabaseSync): void {
  const pages = Number(database.prepare('PRAGMA page_count').get()?.['page_count'] ?? 0);
  const size = Number(database.prepare('PRAGMA page_size').get()?.['page_size'] ?? 0);
  database.prepare('SELECT count(*) FROM sqlite_schema').get();
  if (pages * size > 256 * 1024 * 1024) return;
  checkPages(database);
}

/** Reads every page. Throws an Error that says what SQLite found. */
export function checkPages(database: DatabaseSync): void {
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (verdict !== 'ok') throw new Error(`its integrity check says: ${String(verdict)}`);
}

/** SQLite's primary result codes that mean something to a person: https://sqlite.org/rescode.html */
export function storeError(error: unknown, what: string): WorkflowError {
  // A backup of before would open, and lose what came since: it is not damaged, and must not look so.
  if (error instanceof WorkflowError && error.code === 'STORE_NEWER')
    return new WorkflowError('STORE_NEWER', `${what}: ${error.message}`, { cause: error });
  if (error instanceof WorkflowError) return error;
  const thrown = ensureError(error);
  const code = 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : 0;
  const message = `${what}: ${thrown.message}`;
  if (code === 13 || systemCode(error) === 'ENOSPC' || systemCode(error) === 'EDQUOT')
    return new WorkflowError('STORE_FULL', message, { cause: error });
  // Said before anything about an open: a database that is locked then is not damaged, and needs no restore.
  if (code === 5 || code === 6) return new WorkflowError('STORE_BUSY', message, { cause: error });
  if (code === 8 || code === 14 || code === 10 || code === 23 || code === 3)
    return new WorkflowError('HOME_UNWRITABLE', message, { cause: error });
  if (code === 11 || code === 26 || what.startsWith('cannot open'))
    return new WorkflowError('STORE_CORRUPT', message, { cause: error });
  return ensureWorkflowError(new Error(message, { cause: error }));
}
