import type { SQLOutputValue } from 'node:sqlite';
import { emptyJournal, journalDigest } from '../binds.ts';
import type { Fold } from '../fold.ts';
import type { FoldRecord } from '../fold-record.ts';
import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';

/** Compares the event that a record is tied to with what the record says of it. */
export function openJournalCheck(
  database: RowReader,
  findings: Findings,
): (fold: Fold, record: FoldRecord) => void {
  const get = database.prepare(
    'SELECT seq, incarnation, at, body FROM events WHERE instance = ? AND seq = ?',
  );
  const archived = archivedInstances(database);
  return (fold, { seq, instance, binds }) => {
    const tied = binds?.journal;
    if (tied === undefined || instance === null) return;
    const known = fold.instances.get(instance)?.journal ?? null;
    const row = get.get(instance, tied.seq);
    const bad = (message: string): void =>
      findings.add({ kind: 'journal_mismatch', seq, instance, event: tied.seq, message });
    if (row === undefined && archived.has(instance)) return;
    if (row === undefined) {
      bad(`event ${tied.seq} of instance ${instance} is gone, of which record ${seq} speaks`);
      return;
    }
    if ((known?.seq ?? 0) !== tied.seq - 1) {
      // Where records are missing that is said already; the rest of the journal cannot be told from here.
      return;
    }
    if (journalDigest(known?.digest ?? emptyJournal(instance), eventOf(row)) !== tied.digest)
      bad(`event ${tied.seq} of instance ${instance} is not the one that record ${seq} speaks of`);
  };
}

/**
 * Journals up to where heads name them: their records were pruned, or written before there were ties. `seq` is the
 * record that holds the heads, if one does.
 */
export function checkTiedJournals(
  database: RowReader,
  fold: Pick<Fold, 'instances'>,
  seq: number | null,
  findings: Findings,
): void {
  const archived = archivedInstances(database);
  const events = database.prepare(
    'SELECT seq, incarnation, at, body FROM events WHERE instance = ? AND seq <= ? ORDER BY seq',
  );
  for (const [instance, { journal }] of fold.instances) {
    if (journal === null || archived.has(instance)) continue;
    let digest = emptyJournal(instance);
    for (const row of events.iterate(instance, journal.seq)) digest = journalDigest(digest, eventOf(row));
    if (digest === journal.digest) continue;
    const message = `the journal of instance ${instance} up to event ${journal.seq} is not what its records said`;
    findings.add({ kind: 'journal_mismatch', seq, instance, message });
  }
}

/** Instances of which the last word is that they were archived: their events are not here. */
function archivedInstances(database: RowReader): Set<string> {
  const found = new Set<string>();
  const rows = database.prepare(
    "SELECT instance, type FROM audit WHERE type IN ('instance.archived', 'instance.unarchived') ORDER BY seq",
  );
  for (const { instance, type } of rows.iterate())
    if (type === 'instance.archived') found.add(String(instance));
    else found.delete(String(instance));
  return found;
}

function eventOf(row: Record<string, SQLOutputValue>): Parameters<typeof journalDigest>[1] {
  return {
    seq: Number(row['seq']),
    incarnation: Number(row['incarnation']),
    at: Number(row['at']),
    body: String(row['body']),
  };
}
