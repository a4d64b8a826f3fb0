import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { openRows, type RowReader } from './rows.ts';

/** A database opened for reading, at one moment of its life. */
export interface LogFile {
  readonly database: RowReader;
  readonly log: string;
  /** The public key that the database names. */
  readonly key: string | null;
  /** The anchor that the database names. */
  readonly anchor: string | null;
  /** Numbers of the first and the last record; both 0 when there are none. */
  readonly first: number;
  readonly last: number;
  close(): void;
}

/**
 * Opens a database beside a running supervisor or without one, with what is in its write-ahead log. Changes nothing.
 * Throws what SQLite throws; an Error when it holds no audit log.
 */
export function openLogFile(file: string): LogFile {
  const opened = openReadOnly(file);
  const database = openRows(opened);
  try {
    opened.exec('BEGIN');
    const meta = database.prepare('SELECT value FROM meta WHERE key = ?');
    const value = (name: string): string | null => {
      const row = meta.get(name);
      return row === undefined ? null : String(row['value']);
    };
    const log = value('audit_log');
    if (log === null) throw new Error('it names no audit log');
    const ends = database.prepare('SELECT min(seq) AS first, max(seq) AS last FROM audit').get();
    return {
      database,
      log,
      key: value('audit_key'),
      anchor: value('audit_anchor'),
      first: Number(ends?.['first'] ?? 0),
      last: Number(ends?.['last'] ?? 0),
      close: () => opened.close(),
    };
  } catch (error) {
    opened.close();
    throw error;
  }
}

/** On a medium that cannot be written SQLite needs the promise that nobody else writes either. */
function openReadOnly(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (error) {
    database.close();
    const isOutOfReach = error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === 14;
    if (!isOutOfReach || existsSync(`${file}-wal`)) throw error;
    const url = pathToFileURL(file);
    url.searchParams.set('immutable', '1');
    return new DatabaseSync(url, { readOnly: true });
  }
}
