import { existsSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { eventRecord, SUPERVISOR } from '../audit/record.ts';
import { ensureError, ensureWorkflowError, WorkflowError } from '../errors/workflow-error.ts';
import { type AuditTable, openAuditTable } from './audit-table.ts';
import { type EventsTable, openEventsTable } from './events-table.ts';
import { type InstancesTable, openInstancesTable } from './instances-table.ts';
import { checkVersion, migrate } from './migrations.ts';
import type { Answer, Arguments, OperationName } from './operations.ts';
import { openRegistrationsTable, type RegistrationsTable } from './registrations-table.ts';

interface Tables {
  readonly audit: AuditTable;
  readonly events: EventsTable;
  readonly instances: InstancesTable;
  readonly registrations: RegistrationsTable;
}

export interface Request {
  readonly id: number;
  readonly name: OperationName;
  readonly args: unknown;
}

export type Reply =
  | { readonly id: number; readonly answer: unknown }
  | { readonly id: number; readonly error: { code: string; message: string } };

/** The one writer of the database. Not safe for two threads: it lives in the writer thread alone. */
export interface Writer {
  /**
   * Carries out requests in their order, all writes in one transaction (group commit), and answers after it is
   * durable. A request that fails alone is rolled back alone; a failed commit fails every write of the batch.
   */
  run(requests: readonly Request[]): Reply[];
  close(): void;
}

/**
 * Opens the database, checks and migrates it. `synchronous` is FULL: an answered write survives a power cut.
 * Throws STORE_CORRUPT, STORE_FULL or HOME_UNWRITABLE with the file's name; a refused file is not changed.
 */
export function openWriter(file: string, boot: string): Writer {
  let opened: { database: DatabaseSync; tables: Tables };
  try {
    checkFile(file);
    opened = openTables(file, boot);
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

  return {
    run: (requests) => {
      try {
        database.exec('BEGIN IMMEDIATE');
        const replies = requests.map(runOne);
        database.exec('COMMIT');
        return replies;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        tables.audit.reload();
        return requests.map((request) => failure(request, error));
      }
    },
    close: () => {
      database.close();
    },
  };
}

function failure(request: Request, error: unknown): Reply {
  const known = storeError(error, `cannot carry out ${request.name}`);
  return { id: request.id, error: { code: known.code, message: known.message } };
}

/** Runs one operation; the switch is exhaustive over the names. */
function perform(tables: Tables, name: OperationName, raw: unknown): unknown {
  const { audit, events, instances, registrations } = tables;
  // Requests come only from `store.ts`, whose types tie each name to its arguments.
  const args = <K extends OperationName>(_name: K): Arguments<K> => raw as Arguments<K>;
  switch (name) {
    case 'instance.create': {
      const a = args(name);
      registrations.putDocuments(a.documents);
      instances.create(a);
      audit.append(a.audit);
      return null;
    }
    case 'instance.launch': {
      const a = args(name);
      instances.launch(a);
      audit.append(a.audit);
      return null;
    }
    case 'instance.process': {
      const a = args(name);
      instances.setProcess(a);
      audit.append(a.audit);
      return null;
    }
    case 'instance.exited': {
      const a = args(name);
      instances.exited(a);
      audit.append(a.audit);
      return null;
    }
    case 'instance.requeue': {
      const a = args(name);
      instances.requeue(a);
      audit.append(a.audit);
      return null;
    }
    case 'journal.append':
      return appendEvents(tables, args(name));
    case 'journal.close':
      return closeJournal(tables, args(name));
    case 'registration.put': {
      const a = args(name);
      registrations.putDocuments(a.documents);
      registrations.put(a.row);
      audit.append(a.audit);
      return null;
    }
    case 'registration.remove': {
      const a = args(name);
      const removed = registrations.remove(a.name);
      if (removed) audit.append(a.audit);
      return { removed };
    }
    case 'audit.append':
      for (const entry of args(name).entries) audit.append(entry);
      return null;
    case 'instance.get':
      return instances.get(args(name).id);
    case 'instance.find':
      return instances.find(args(name).prefix);
    case 'instance.latest':
      return instances.latest();
    case 'instance.list':
      return instances.list(args(name));
    case 'journal.read': {
      const a = args(name);
      return events.read(a.id, a.afterSeq);
    }
    case 'document.get':
      return registrations.document(args(name).hash);
    case 'registration.list':
      return registrations.list();
    case 'registration.get':
      return registrations.get(args(name).name);
    case 'audit.head':
      return audit.head();
  }
}

function appendEvents(tables: Tables, args: Arguments<'journal.append'>): Answer<'journal.append'> {
  const at = tables.instances.position(args.id);
  if (at === null || at.incarnation !== args.incarnation)
    throw new WorkflowError('INTERNAL', `incarnation ${args.incarnation} of ${args.id} is fenced`);
  let { lastSeq } = at;
  for (const [index, entry] of args.entries.entries()) {
    // Sent again after a lost ack: it counts once.
    if (entry.seq <= lastSeq) continue;
    if (entry.seq !== lastSeq + 1)
      throw new WorkflowError('INTERNAL', `instance ${args.id} sent event ${entry.seq} after ${lastSeq}`);
    tables.events.insert(args.id, args.incarnation, entry);
    tables.instances.follow(args.id, entry.seq, entry.at, entry.event);
    const record = args.audits[index];
    if (record !== undefined) tables.audit.append(record);
    lastSeq = entry.seq;
  }
  for (const record of args.audits.slice(args.entries.length)) tables.audit.append(record);
  return { lastSeq };
}

function closeJournal(tables: Tables, args: Arguments<'journal.close'>): Answer<'journal.close'> {
  const at = tables.instances.position(args.id);
  if (at === null || at.incarnation !== args.incarnation)
    throw new WorkflowError('INTERNAL', `incarnation ${args.incarnation} of ${args.id} is fenced`);
  // The run has its end already: it gets no second one.
  if (at.hasEnded) return { entries: [] };
  const entries = args.events.map((event, index) => ({ seq: at.lastSeq + 1 + index, at: args.at, event }));
  for (const entry of entries) {
    tables.events.insert(args.id, args.incarnation, entry);
    tables.instances.follow(args.id, entry.seq, entry.at, entry.event);
    tables.audit.append(eventRecord(args.id, entry.at, entry.event, SUPERVISOR));
  }
  return { entries };
}

function openTables(file: string, boot: string): { database: DatabaseSync; tables: Tables } {
  const database = new DatabaseSync(file, { timeout: 5000 });
  try {
    checkVersion(database);
    database.exec('PRAGMA foreign_keys = ON');
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 2000');
    migrate(database);
    const tables: Tables = {
      audit: openAuditTable(database, boot),
      events: openEventsTable(database),
      instances: openInstancesTable(database),
      registrations: openRegistrationsTable(database),
    };
    return { database, tables };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Checks a file before a connection that may write is opened: that alone would change the header, or checkpoint. */
function checkFile(file: string): void {
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
  const verdict = database.prepare('PRAGMA quick_check(1)').get()?.['quick_check'];
  if (verdict !== 'ok') throw new Error(`its integrity check says: ${String(verdict)}`);
}

/** SQLite's primary result codes that mean something to a person: https://sqlite.org/rescode.html */
function storeError(error: unknown, what: string): WorkflowError {
  if (error instanceof WorkflowError) return error;
  const thrown = ensureError(error);
  const code = 'errcode' in thrown && typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : 0;
  const message = `${what}: ${thrown.message}`;
  if (code === 13) return new WorkflowError('STORE_FULL', message, { cause: error });
  if (code === 8 || code === 14 || code === 10 || code === 23 || code === 3)
    return new WorkflowError('HOME_UNWRITABLE', message, { cause: error });
  if (code === 11 || code === 26 || what.startsWith('cannot open'))
    return new WorkflowError('STORE_CORRUPT', message, { cause: error });
  return ensureWorkflowError(new Error(message, { cause: error }));
}
