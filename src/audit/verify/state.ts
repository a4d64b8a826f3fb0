import { FIXED_COLUMNS, MOVING_COLUMNS, REGISTRATION_COLUMNS, rowHash } from '../binds.ts';
import { canonicalJson, sha256 } from '../canonical.ts';
import type { Fold, InstanceFold } from '../fold.ts';
import { checkDecisions } from './decisions.ts';
import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';
import { checkWorkflows } from './workflows.ts';

type Row = Readonly<Record<string, unknown>>;

export interface StateFacts {
  /** Hash → the last record that names it. */
  readonly payloads: ReadonlyMap<string, number>;
  /** The latest time of a record that was pruned, UTC ms. */
  readonly prunedUntil: number;
}

/** The tables of state against what the records say of them: who changes the state alone is found too. */
export function checkState(
  database: RowReader,
  fold: Fold,
  { payloads, prunedUntil }: StateFacts,
  findings: Findings,
): void {
  checkInstances(database, fold, findings);
  checkUntold(database, fold, findings);
  checkRegistrations(database, fold, findings);
  checkWorkflows(database, fold, prunedUntil, findings);
  checkDocuments(database, findings);
  checkDecisions(database, fold.told, findings);
  checkPayloads(database, fold, payloads, findings);
}

function checkInstances(database: RowReader, fold: Fold, findings: Findings): void {
  const known = new Set<string>();
  for (const row of database.prepare('SELECT * FROM instances').iterate()) {
    const id = String(row['id']);
    known.add(id);
    const says = fold.instances.get(id);
    const fault = says === undefined ? 'and no record speaks of it' : faultOf(row, says);
    if (fault === null) continue;
    const message = `the row of instance ${id} was changed: ${fault}`;
    findings.add({ kind: 'state_mismatch', seq: says?.record || null, instance: id, message });
  }
  for (const [id, { row, journal, record }] of fold.instances) {
    if (known.has(id) || (row === null && journal === null)) continue;
    const message = `the row of instance ${id} is gone`;
    findings.add({ kind: 'state_mismatch', seq: record || null, instance: id, message });
  }
}

function faultOf(row: Row, says: InstanceFold): string | null {
  if (says.isArchived === true) return 'it was archived, and is here';
  if (says.row !== null && rowHash(row, FIXED_COLUMNS) !== says.row.fixed)
    return 'it is not what its last record says';
  if (says.row !== null && !says.hasMoved)
    return rowHash(row, MOVING_COLUMNS) === says.row.moving ? null : 'it is not what its last record says';
  if (says.journal !== null && row['last_seq'] !== says.journal.seq)
    return `its last event is ${String(row['last_seq'])}, by the records ${says.journal.seq}`;
  if (says.journal !== null && row['journal_digest'] !== says.journal.digest)
    return 'its journal is not that of the records';
  if (says.status !== null && row['status'] !== says.status)
    return `its status is ${String(row['status'])}, by the records ${says.status}`;
  const { end, paused } = says;
  // Records of an older version do not say whether there is an end.
  if ((end !== null || says.status !== null) && !isEndOf(row, end))
    return `its end is not that of the records (${end?.reason ?? 'it has none'})`;
  const isPaused = row['paused_at'] === (paused?.at ?? null) && row['paused_by'] === (paused?.by ?? null);
  return paused === undefined || isPaused ? null : 'its pause is not that of the records';
}

function isEndOf(row: Row, end: InstanceFold['end']): boolean {
  const { reason, error, ended_at: at } = row;
  if (end === null) return reason === null && error === null && at === null;
  const text = error === null ? 'null' : error;
  const hash = typeof text === 'string' ? canonicalHash(text) : null;
  return reason === end.reason && at === end.at && (end.error === undefined || end.error === hash);
}

/** Events behind the last one that a record speaks of. */
function checkUntold(database: RowReader, fold: Fold, findings: Findings): void {
  const counts = database.prepare(
    'SELECT instance, min(seq) AS first, max(seq) AS last FROM events GROUP BY instance',
  );
  for (const row of counts.iterate()) {
    const instance = String(row['instance']);
    const first = Number(row['first']);
    if (first < 1) {
      const message = `event ${first} of instance ${instance} has a number that no event gets`;
      findings.add({ kind: 'journal_mismatch', seq: null, instance, event: first, message });
    }
    const told = fold.instances.get(instance)?.journal?.seq ?? 0;
    const last = Number(row['last']);
    if (last <= told) continue;
    const message = `no record speaks of the events ${told + 1} to ${last} of instance ${instance}`;
    findings.add({ kind: 'journal_mismatch', seq: null, instance, event: told + 1, message });
  }
}

function checkRegistrations(database: RowReader, fold: Fold, findings: Findings): void {
  const rows = new Map<string, string>();
  for (const row of database.prepare('SELECT * FROM registrations').iterate())
    rows.set(String(row['name']), rowHash(row, REGISTRATION_COLUMNS));
  for (const [name, hash] of fold.registrations) {
    if ((rows.get(name) ?? null) === hash) continue;
    const message = `the registration of workflow ${name} is not what its last record says`;
    findings.add({ kind: 'state_mismatch', seq: null, message });
  }
  if (!fold.told.isWhole) return;
  for (const name of rows.keys()) {
    if (fold.registrations.has(name)) continue;
    const message = `no record speaks of the registration of workflow ${name}`;
    findings.add({ kind: 'state_mismatch', seq: null, message });
  }
}

/** Documents are kept under their hash: that of their text, or (pins) of their canonical JSON. */
function checkDocuments(database: RowReader, findings: Findings): void {
  for (const row of database.prepare('SELECT hash, body FROM documents').iterate()) {
    const body = String(row['body']);
    if (sha256(body) === row['hash'] || canonicalHash(body) === row['hash']) continue;
    const message = `the document ${String(row['hash'])} is not the one with that hash`;
    findings.add({ kind: 'document_mismatch', seq: null, message });
  }
  for (const [table, column] of documentColumns(database)) {
    const gone = database.prepare(
      `SELECT DISTINCT ${column} AS hash FROM ${table} WHERE ${column} NOT IN (SELECT hash FROM documents) ORDER BY 1`,
    );
    for (const row of gone.iterate()) {
      const message = `the document ${String(row['hash'])} is gone, which the table ${table} names`;
      findings.add({ kind: 'document_mismatch', seq: null, message });
    }
  }
}

/** Where documents are named by their hash. */
function documentColumns(database: RowReader): [table: string, column: string][] {
  const columns: [string, string][] = [
    ['instances', 'definition_hash'],
    ['instances', 'pins_hash'],
    ['registrations', 'definition_hash'],
    ['versions', 'definition_hash'],
  ];
  const has = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  return columns.filter(([table]) => has.get(table) !== undefined);
}

function canonicalHash(text: string): string | null {
  try {
    return sha256(canonicalJson(JSON.parse(text)));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof RangeError) return null;
    throw error;
  }
}

function checkPayloads(
  database: RowReader,
  fold: Fold,
  payloads: ReadonlyMap<string, number>,
  findings: Findings,
): void {
  const get = database.prepare('SELECT body FROM audit_payloads WHERE hash = ?');
  for (const [hash, seq] of payloads) {
    const row = get.get(hash);
    const bad = (why: string): void =>
      findings.add({ kind: 'payload_mismatch', seq, message: `the payload of record ${seq} ${why}` });
    if (row === undefined) bad('is gone');
    else if (row['body'] === null) {
      if (!fold.erased.has(hash)) bad('was erased, and no record says so');
    } else if (sha256(String(row['body'])) !== hash) bad('was changed');
  }
}
