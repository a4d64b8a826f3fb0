import { existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { otherLogs } from '../audit/keys.ts';

/**
 * Throws an Error where there was a database, as the key of its log tells, and what is left of it would be taken for a
 * new one: SQLite would begin an empty one, and remove the log that holds what was not in the file yet.
 */
export function assertNotLost(file: string, keysFolder: string): void {
  if (otherLogs(keysFolder, null).length === 0) return;
  const wal = `${file}-wal`;
  const size = sizeOf(file);
  if (size === null && (sizeOf(wal) ?? 0) > 0)
    throw new Error(`the file is gone, and only its log ${basename(wal)} is there`);
  if (size === 0) throw new Error('the file is empty');
  // With a rollback journal beside it only a writing connection can read it.
  if (size !== null && !existsSync(`${file}-journal`) && isWithoutTables(file))
    throw new Error(`it has no tables: its log ${basename(wal)} is damaged or gone`);
}

function isWithoutTables(file: string): boolean {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    return database.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
  } finally {
    database.close();
  }
}

function sizeOf(file: string): number | null {
  return statSync(file, { throwIfNoEntry: false })?.size ?? null;
}
