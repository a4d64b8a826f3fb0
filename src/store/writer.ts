import { dirname, join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { assertNotLost } from './lost-file.ts';
import type { OperationName } from './operations.ts';
import { perform } from './perform.ts';
import { checkFile, storeError } from './store-file.ts';
import { openTables, type Tables } from './tables/tables.ts';

export interface Request {
  readonly id: number;
  readonly name: OperationName;
  readonly args: unknown;
}

export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { code: string; message: string } };

export interface AuditProgress {
  /** The last record that is durable. */
  readonly seq: number;
  readonly isUrgent: boolean;
}

/** The one writer of the database. Not safe for two threads: it lives in the writer thread alone. */
export interface Writer {
  /**
   * Carries out requests in their order, all writes in one transaction (group commit), and answers after it is
   * durable. A request that fails alone is rolled back alone; a failed commit fails every write of the batch.
   */
  run(requests: readonly Request[]): Reply[];
  /** How far the audit log is durable, and whether its end is to be signed at once; once true, then false again. */
  takeProgress(): AuditProgress;
  /** Frees what SQLite only keeps to be faster. */
  giveBack(): void;
  close(): void;
}

/**
 * Opens the database and the key of its audit log, checks and migrates it. `synchronous` is FULL: an answered write survives a power cut.
 * Throws STORE_CORRUPT, STORE_FULL, AUDIT_KEY or HOME_UNWRITABLE with the file's name; a refused file is not changed.
 */
export function openWriter(
  file: string,
  boot: string,
  keysFolder: string = join(dirname(file), 'keys'),
): Writer {
  let opened: { database: DatabaseSync; tables: Tables };
  try {
    assertNotLost(file, keysFolder);
    checkFile(file);
    opened = openTables(file, boot, keysFolder);
  } catch (error) {
    throw storeError(error, `cannot open the database ${file}`);
  }
  const { database, tables } = opened;

  const runOne = (request: Request): Reply => {
    database.exec('SAVEPOINT one');
    try {
      const answer = perform(tables, request.name, request.args);
      database.exec('RELEASE one');
      return { id: request.id, answer };
    } catch (error) {
      // After SQLITE_FULL and the like the whole transaction is gone already: then the batch fails as one.
      if (!database.isTransaction) throw error;
      database.exec('ROLLBACK TO one; RELEASE one');
      tables.audit.reload();
      return failure(request, error);
    }
  };

  /** The head of the chain may be that of a transaction which was taken back. */
  let isHeadStale = false;
  let auditSeq = tables.audit.head().seq;

  /** Takes the batch back, and answers what to tell of it. */
  const rollBack = (cause: unknown): unknown => {
    isHeadStale = true;
    try {
      if (database.isTransaction) database.exec('ROLLBACK');
      return cause;
    } catch (error) {
      // A disk that answers nothing fails this too. Then the next BEGIN fails, and it is tried again.
      return error;
    }
  };

  return {
    run: (requests) => {
      try {
        if (isHeadStale) tables.audit.reload();
        isHeadStale = false;
        database.exec('BEGIN IMMEDIATE');
        const replies = requests.map(runOne);
        database.exec('COMMIT');
        auditSeq = tables.audit.head().seq;
        return replies;
      } catch (error) {
        const told = rollBack(error);
        return requests.map((request) => failure(request, told));
      }
    },
    takeProgress: () => ({ seq: auditSeq, isUrgent: tables.audit.takeUrgency() }),
    giveBack: () => database.exec('PRAGMA shrink_memory'),
    close: () => {
      database.close();
    },
  };
}

function failure(request: Request, error: unknown): Reply {
  const known = storeError(error, `cannot carry out ${request.name}`);
  return { id: request.id, error: { code: known.code, message: known.message } };
}
