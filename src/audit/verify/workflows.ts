import { rowHash, VERSION_COLUMNS } from '../binds.ts';
import { sha256 } from '../canonical.ts';
import type { Fold } from '../fold.ts';
import type { ToldFire, ToldWorkflows } from '../told-workflows.ts';
import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';

type Row = Readonly<Record<string, unknown>>;

/**
 * Who registered workflows start as, their kept versions, schedules and fires, against the records of them.
 * `prunedUntil` is the latest time of a record that was pruned: of fires that were decided by then nothing is known.
 */
export function checkWorkflows(
  database: RowReader,
  fold: Fold,
  prunedUntil: number,
  findings: Findings,
): void {
  // An older database has none of these.
  const has = database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?");
  const bad = (seq: number | null, message: string): void =>
    findings.add({ kind: 'state_mismatch', seq, message });
  if (has.get('versions') !== undefined) checkVersions(database, fold.workflows, bad);
  if (has.get('schedules') === undefined) return;
  checkStarters(database, fold.workflows, bad);
  checkSchedules(database, fold.workflows, bad);
  checkFires(database, fold, prunedUntil, bad);
}

type Bad = (seq: number | null, message: string) => void;

function checkStarters(database: RowReader, { starters }: ToldWorkflows, bad: Bad): void {
  for (const row of database.prepare('SELECT name, starter FROM registrations ORDER BY name').iterate()) {
    const said = starters.get(String(row['name']));
    const hash = row['starter'] === null ? null : sha256(String(row['starter']));
    if (said === undefined || said === hash) continue;
    bad(
      null,
      `where and as whom the workflow ${String(row['name'])} starts is not what its last record says`,
    );
  }
}

function checkVersions(database: RowReader, told: ToldWorkflows, bad: Bad): void {
  const seen = new Set<string>();
  for (const row of database.prepare('SELECT * FROM versions ORDER BY workflow, number').iterate()) {
    const name = String(row['workflow']);
    const key = `${String(row['number'])} ${name}`;
    seen.add(key);
    const said = told.versions.get(key);
    if (said === undefined ? isUntold(told, name) : said === rowHash(row, VERSION_COLUMNS)) continue;
    bad(null, `the kept version ${String(row['number'])} of workflow ${name} is not as any record says`);
  }
  for (const key of told.versions.keys()) {
    const [number = '', name = ''] = key.split(/ (.*)/s);
    if (!seen.has(key)) bad(null, `the kept version ${number} of workflow ${name} is gone`);
  }
}

/** Records of an older version say too little of it, or none speaks of it that is known. */
function isUntold({ older, isWhole }: ToldWorkflows, name: string): boolean {
  return !isWhole || older.has(name);
}

function checkSchedules(database: RowReader, told: ToldWorkflows, bad: Bad): void {
  const seen = new Set<string>();
  for (const row of database.prepare('SELECT * FROM schedules ORDER BY workflow').iterate()) {
    const name = String(row['workflow']);
    seen.add(name);
    const said = told.schedules.get(name);
    const isFine =
      said === undefined
        ? isUntold(told, name)
        : said !== null &&
          row['decided_to'] === said.decided_to &&
          row['paused_at'] === said.paused_at &&
          row['paused_by'] === said.paused_by;
    if (!isFine) bad(null, `the schedule of workflow ${name} is not what its last record says`);
  }
  for (const [name, said] of told.schedules)
    if (said !== null && !seen.has(name)) bad(null, `the schedule of workflow ${name} is gone`);
}

function checkFires(database: RowReader, fold: Fold, prunedUntil: number, bad: Bad): void {
  const { fires, firesFrom } = fold.workflows;
  const seen = new Map<string, Set<number>>();
  for (const row of database.prepare('SELECT * FROM fires ORDER BY workflow, at').iterate()) {
    const name = String(row['workflow']);
    const at = Number(row['at']);
    seen.set(name, (seen.get(name) ?? new Set()).add(at));
    const said = fires.get(name)?.get(at);
    if (said === undefined ? isOld(row, prunedUntil) : isAsTold(row, said, fold)) continue;
    bad(said?.record ?? null, `the fire of workflow ${name} at ${instant(at)} is not as any record says`);
  }
  for (const [name, ofOne] of fires)
    for (const [at, { record }] of ofOne)
      if (at >= firesFrom && seen.get(name)?.has(at) !== true)
        bad(record, `the fire of workflow ${name} at ${instant(at)} is gone`);
}

const DROPPED = 'the workflow has no schedule any more';

/** The record of its decision was pruned. One that waited since may have gone with its schedule only now. */
function isOld(row: Row, prunedUntil: number): boolean {
  return Number(row['decided_at']) <= prunedUntil || (isDropped(row) && prunedUntil > 0);
}

function isDropped(row: Row): boolean {
  return row['status'] === 'skipped' && row['reason'] === DROPPED;
}

function isAsTold(row: Row, said: ToldFire, { instances }: Fold): boolean {
  const isArchived = said.instance !== null && instances.get(said.instance)?.isArchived === true;
  if (row['instance'] !== (isArchived ? null : said.instance)) return false;
  if (said.dropped !== 'no' && isDropped(row)) return true;
  return (
    said.dropped !== 'yes' &&
    said.statuses.includes(String(row['status'])) &&
    row['reason'] === said.reason &&
    row['decided_at'] === said.decidedAt
  );
}

/** Somebody may have put any number there. */
function instant(at: number): string {
  return Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at);
}
