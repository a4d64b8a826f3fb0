import type { DatabaseSync } from 'node:sqlite';
import { emptyJournal, journalDigest } from '../audit/binds.ts';
import { emptyFold, type Heads, saveHeads, unknownInstance } from '../audit/fold.ts';
import { type AuditEntry, SUPERVISOR } from '../audit/record.ts';
import type { AuditTable } from './tables/audit-table.ts';
import type { InstancesTable } from './tables/instances-table.ts';
import type { MetaTable } from './tables/meta-table.ts';

/** The tables that the beginning of a log concerns. */
interface LogTables {
  readonly meta: MetaTable;
  readonly audit: AuditTable;
  readonly instances: InstancesTable;
}

const KEY = 'audit_key';

/**
 * Brings a log that was just opened to where records can be appended: its public key is known, and what older
 * versions wrote without a tie is tied now. A key that is not the one before is recorded: a verifier does not trust it.
 */
export function beginLog(database: DatabaseSync, tables: LogTables): void {
  const { meta, audit } = tables;
  const { publicKey } = audit.key;
  const known = meta.get(KEY);
  if (known === publicKey) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    if (known !== null) audit.append(record('audit.key_replaced', { old: known, new: publicKey }));
    else if (audit.head().seq > 0)
      audit.append(record('audit.upgraded', { key: publicKey, heads: tieJournals(database, tables) }));
    meta.set(KEY, publicKey);
    database.exec('COMMIT');
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw error;
  }
}

function record(type: string, data: Readonly<Record<string, unknown>>): AuditEntry {
  return { type, at: Date.now(), actor: SUPERVISOR, instance: null, data };
}

/** The digests of all journals that were written before there were any. */
function tieJournals(database: DatabaseSync, { instances }: LogTables): Heads {
  const fold = emptyFold();
  // Rows of approvals and kill switches that there are by now have no record.
  fold.told.isWhole = false;
  const events = database.prepare(
    'SELECT instance, seq, incarnation, at, body FROM events ORDER BY instance, seq',
  );
  for (const row of events.iterate()) {
    const id = String(row['instance']);
    const known = fold.instances.get(id) ?? unknownInstance();
    const event = {
      seq: Number(row['seq']),
      incarnation: Number(row['incarnation']),
      at: Number(row['at']),
      body: String(row['body']),
    };
    const digest = journalDigest(known.journal?.digest ?? emptyJournal(id), event);
    fold.instances.set(id, Object.assign(known, { journal: { seq: event.seq, digest } }));
  }
  for (const [id, { journal }] of fold.instances)
    if (journal !== null) instances.setJournal(id, journal.digest);
  return saveHeads(fold);
}
