import type { DatabaseSync, SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { emptyJournal, instanceHashes, journalDigest } from '../../audit/binds.ts';
import { SUPERVISOR } from '../../audit/record.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Answer, Arguments } from '../operations.ts';
import type { ArchivedRows, ArchiveReads, DueCursor, RawRow } from './archive-rows.ts';
import type { AuditTable } from './audit-table.ts';
import type { InstancesTable } from './instances-table.ts';

/** Takes the rows of ended instances out of all tables, and puts them back. */
export interface ArchiveTable {
  due(args: ArchiveReads['archive.due'][0]): DueCursor[];
  known(ids: readonly string[]): string[];
  read(id: string): ArchivedRows | null;
  events(args: ArchiveReads['archive.events'][0]): RawRow[];
  remove(args: Arguments<'archive.remove'>): boolean;
  sweep(args: Arguments<'archive.sweep'>): Answer<'archive.sweep'>;
  putBack(args: Arguments<'archive.put_back'>): void;
}

/** The trigger that stands in the way, exactly as the migration made it: verify compares. */
const TRIGGER = 'events_no_delete';
const EVENTS_PAGE = 500;
/** Documents that one call looks at (some milliseconds). */
const SWEEP_PAGE = 1000;
const PAGE_BYTES = 4 * 1024 * 1024;

export function openArchiveTable(
  database: DatabaseSync,
  audit: AuditTable,
  instances: InstancesTable,
): ArchiveTable {
  const due = database.prepare(`
    SELECT ended_at, id FROM instances WHERE ended_at < ?1 AND (ended_at, id) > (?2, ?3) ORDER BY ended_at, id LIMIT ?4`);
  const exists = database.prepare('SELECT 1 FROM instances WHERE id = ?');
  const ended = database.prepare('SELECT * FROM instances WHERE id = ? AND ended_at IS NOT NULL');
  const documents = database.prepare('SELECT * FROM documents WHERE hash IN (?, ?)');
  const approvals = database.prepare('SELECT * FROM approvals WHERE instance = ? ORDER BY number');
  const fires = database.prepare('SELECT * FROM fires WHERE instance = ?');
  const events = database.prepare(
    `SELECT * FROM events WHERE instance = ? AND seq > ? ORDER BY seq LIMIT ${EVENTS_PAGE}`,
  );
  const trigger = database.prepare("SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND name = ?");
  const removals = [
    'DELETE FROM events WHERE instance = ?',
    'DELETE FROM approvals WHERE instance = ?',
    'UPDATE fires SET instance = NULL WHERE instance = ?',
    'DELETE FROM instances WHERE id = ?',
  ].map((sql) => database.prepare(sql));
  const page = database.prepare(
    `SELECT hash FROM documents WHERE hash > ? ORDER BY hash LIMIT 1 OFFSET ${SWEEP_PAGE - 1}`,
  );
  // Not with each instance: a resume under another definition leaves documents, too.
  const sweep = database.prepare(`
    DELETE FROM documents WHERE hash > ?1 AND (?2 IS NULL OR hash <= ?2)
      AND NOT EXISTS (SELECT 1 FROM instances WHERE definition_hash = documents.hash)
      AND NOT EXISTS (SELECT 1 FROM instances WHERE pins_hash = documents.hash)
      AND NOT EXISTS (SELECT 1 FROM registrations WHERE definition_hash = documents.hash)
      AND NOT EXISTS (SELECT 1 FROM versions WHERE definition_hash = documents.hash)`);
  const archived = database.prepare(
    "SELECT body FROM audit WHERE instance = ? AND type = 'instance.archived' ORDER BY seq DESC LIMIT 1",
  );
  const relink = database.prepare(
    'UPDATE fires SET instance = ? WHERE workflow = ? AND at = ? AND instance IS NULL',
  );

  const read: ArchiveTable['read'] = (id) => {
    const instance = ended.get(id);
    if (instance === undefined) return null;
    return {
      instance: raw(instance),
      documents: documents.all(...documentsOf(raw(instance))).map(raw),
      approvals: approvals.all(id).map(raw),
      fires: fires.all(id).map(raw),
    };
  };

  const insert = (table: 'instances' | 'documents' | 'approvals' | 'events', row: RawRow): void => {
    const columns = database.prepare(`SELECT name FROM pragma_table_info('${table}')`).all();
    const known = new Set(columns.map(({ name }) => String(name)));
    const names = Object.keys(row);
    const foreign = names.find((name) => !known.has(name));
    if (foreign !== undefined) throw damaged(`it has a column ${foreign} that ${table} has not`);
    const places = names.map(() => '?').join(', ');
    const verb = table === 'documents' ? 'INSERT OR IGNORE' : 'INSERT';
    database
      .prepare(`${verb} INTO ${table} (${names.join(', ')}) VALUES (${places})`)
      .run(...(Object.values(row) satisfies SQLInputValue[]));
  };

  return {
    due: ({ before, from, limit }) =>
      due
        .all(before, from?.endedAt ?? 0, from?.id ?? '', limit)
        .map((row) => ({ endedAt: Number(row['ended_at']), id: String(row['id']) })),
    known: (ids) => ids.filter((id) => exists.get(id) !== undefined),
    read,
    events: ({ id, after }) => {
      const page: RawRow[] = [];
      let bytes = 0;
      for (const row of events.iterate(id, after)) {
        page.push(raw(row));
        bytes += String(row['body']).length;
        if (bytes >= PAGE_BYTES) break;
      }
      return page;
    },
    remove: ({ id, incarnation, lastSeq, audit: entry }) => {
      const at = instances.position(id);
      const hashes = instances.hashes(id);
      if (at === null || !at.hasEnded || hashes === null) return false;
      if (at.incarnation !== incarnation || at.lastSeq !== lastSeq) return false;
      const sql = String(trigger.get(TRIGGER)?.['sql']);
      database.exec(`DROP TRIGGER ${TRIGGER}`);
      for (const removal of removals) removal.run(id);
      database.exec(sql);
      const journal = { seq: at.lastSeq, digest: at.journalDigest };
      audit.append({ ...entry, data: { ...entry.data, row: hashes, journal } });
      return true;
    },
    sweep: ({ after, at }) => {
      const last = page.get(after)?.['hash'];
      const next = typeof last === 'string' ? last : null;
      const count = Number(sweep.run(after, next).changes);
      const data = { count };
      if (count > 0) audit.append({ type: 'archive.swept', at, actor: SUPERVISOR, instance: null, data });
      return { count, next };
    },
    putBack: ({ rows, events: journal, audit: entry }) => {
      const id = String(rows.instance['id']);
      if (exists.get(id) !== undefined) throw damaged(`the instance ${id} is here`);
      const digest = journal.reduce((before, row) => journalDigest(before, eventOf(row)), emptyJournal(id));
      const fits =
        rows.instance['journal_digest'] === (journal.length === 0 ? null : digest) ||
        (journal.length === 0 && rows.instance['journal_digest'] === emptyJournal(id));
      if (!fits || rows.instance['last_seq'] !== journal.length)
        throw damaged('its journal is not that of its row');
      const row = instanceHashes(rows.instance);
      const record = archived.get(id)?.['body'];
      if (typeof record === 'string') {
        const said = (JSON.parse(record) as { data: { row: typeof row } }).data.row;
        if (said.fixed !== row.fixed || said.moving !== row.moving)
          throw damaged('its row is not what the audit log says was archived');
      }
      for (const document of rows.documents) insert('documents', document);
      insert('instances', rows.instance);
      for (const event of journal) insert('events', event);
      for (const approval of rows.approvals) insert('approvals', approval);
      for (const fire of rows.fires) relink.run(id, fire['workflow'] ?? null, fire['at'] ?? null);
      const last = journal.length === 0 ? {} : { journal: { seq: journal.length, digest } };
      audit.append(entry, { row, ...last });
    },
  };
}

function documentsOf(row: RawRow): [string, string] {
  return [String(row['definition_hash']), String(row['pins_hash'])];
}

function eventOf(row: RawRow): Parameters<typeof journalDigest>[1] {
  return {
    seq: Number(row['seq']),
    incarnation: Number(row['incarnation']),
    at: Number(row['at']),
    body: String(row['body']),
  };
}

/** Our tables hold texts and whole numbers only. */
function raw(row: Record<string, SQLOutputValue>): RawRow {
  return row as RawRow;
}

function damaged(why: string): WorkflowError {
  return new WorkflowError('ARCHIVE_DAMAGED', `the archived instance cannot be put back: ${why}`);
}
