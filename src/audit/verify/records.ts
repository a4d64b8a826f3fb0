import { type Fold, foldRecord, type InstanceFold, unknownInstance } from '../fold.ts';
import type { FoldRecord } from '../fold-record.ts';
import type { AuditKey } from '../keys.ts';
import { chainHash } from '../record.ts';
import { checkTiedJournals, openJournalCheck } from './journals.ts';
import type { LogFile } from './log-file.ts';
import type { RowReader } from './rows.ts';
import type { Findings, ProblemKind } from './verdict.ts';

/** The body of a record, as far as it is looked at. */
export interface RecordBody extends FoldRecord {
  readonly v: number;
  readonly log: string;
  readonly binds?: FoldRecord['binds'] & { readonly payload?: { readonly sha256: string } };
}

export interface ReadRecords {
  readonly fold: Fold;
  readonly count: number;
  /** Records of the audit's own kinds (`audit.`), which say things of other tables. */
  readonly own: readonly RecordBody[];
  /** Payload hash → the last record that names it. */
  readonly payloads: ReadonlyMap<string, number>;
}

export interface Start {
  /** The hash before the first record; null when it is not known. */
  readonly hash: string | null;
  readonly fold: Fold;
}

const VERSIONS: readonly unknown[] = [1, 2];

/** Walks the chain from its first record to its last, with the journal events that its records are tied to. */
export function readRecords(
  file: LogFile,
  start: Start,
  key: AuditKey | null,
  findings: Findings,
): ReadRecords {
  const { database, log } = file;
  const fold = start.fold;
  const own: RecordBody[] = [];
  const payloads = new Map<string, number>();
  const moved = database.prepare(
    "SELECT CASE WHEN json_valid(body) THEN json_extract(body, '$.seq') END AS seq FROM audit WHERE seq = ?",
  );
  const sealsFrom = lastKeyChange(database)?.seq ?? 0;
  const checkJournal = openJournalCheck(database, findings);
  // Came back from an archive: the records of their events may be pruned.
  const returned = new Map<string, InstanceFold>();
  let hash: string | null = start.hash;
  let next = Math.max(1, file.first);
  let count = 0;
  let version = 0;
  let wasBad = false;

  for (const row of database.prepare('SELECT * FROM audit ORDER BY seq').iterate()) {
    const seq = Number(row['seq']);
    const text = String(row['body']);
    const stored = String(row['hash']);
    count += 1;
    if (seq > next) {
      findings.add(gap(next, seq - 1));
      hash = null;
    }
    next = seq + 1;
    // What follows a bad record cannot fit: that alone is not its fault.
    const isExcused = wasBad;
    wasBad = false;
    const bad = (kind: ProblemKind, message: string): void => {
      findings.add({ kind, seq, message });
      wasBad = true;
    };
    const body = parse(text);
    const fits = hash === null || chainHash(hash, text) === stored;
    const isSealed =
      key === null || (body?.v ?? 2) < 2 || seq < sealsFrom || key.seal(stored) === row['seal'];
    hash = stored;
    if (body === null) {
      bad('edited', `record ${seq} is no JSON object`);
      continue;
    }
    if (!VERSIONS.includes(body.v)) {
      bad('unknown_version', `record ${seq} has the unknown version ${body.v}`);
      continue;
    }
    if (body.log !== log) bad('inserted', `record ${seq} is of another log, ${body.log}`);
    else if (body.v < version) bad('inserted', `record ${seq} is of an older version than the one before it`);
    else if (body.seq !== seq) {
      if (moved.get(body.seq)?.['seq'] === seq) bad('swapped', `records ${seq} and ${body.seq} were swapped`);
      else if (body.seq < seq || moved.get(body.seq)?.['seq'] === body.seq)
        bad('inserted', `a copy of record ${body.seq} stands in the place of record ${seq}`);
      else bad('missing', `record ${seq} is gone: record ${body.seq} was put in its place`);
    } else if (columnOf(row, body) !== null)
      bad('edited', `the column ${columnOf(row, body)} of record ${seq} is not what its text says`);
    else if (!fits) {
      if (!isExcused || !isSealed)
        bad(
          'edited',
          key !== null && isSealed
            ? `record ${seq} is not the text that was hashed`
            : `record ${seq} does not follow from the one before it: one of them was changed`,
        );
    } else if (!isSealed) bad('forged', `record ${seq} was made anew: its hash fits, its seal does not`);
    version = Math.max(version, body.v);
    try {
      checkJournal(fold, body);
      foldRecord(fold, body);
      if (body.type === 'audit.upgraded') checkTiedJournals(database, fold, seq, findings);
      if (body.type.startsWith('audit.')) own.push(body);
      if (body.type === 'instance.unarchived' && body.instance !== null)
        returned.set(body.instance, { ...unknownInstance(), journal: body.binds?.journal ?? null });
      if (body.binds?.payload !== undefined) payloads.set(body.binds.payload.sha256, seq);
    } catch (error) {
      // A body that somebody else wrote may lack what ours have.
      if (!(error instanceof TypeError)) throw error;
      bad('edited', `record ${seq} is not of the form of its kind: ${error.message}`);
    }
  }
  checkTiedJournals(database, { instances: returned }, null, findings);
  return { fold, count, own, payloads };
}

function gap(first: number, last: number): Parameters<Findings['add']>[0] {
  return first === last
    ? { kind: 'missing', seq: first, message: `record ${first} is missing` }
    : { kind: 'missing', seq: first, through: last, message: `records ${first} to ${last} are missing` };
}

function columnOf(row: Readonly<Record<string, unknown>>, body: RecordBody): string | null {
  if (row['type'] !== body.type) return 'type';
  if (row['at'] !== body.at) return 'at';
  return row['instance'] === body.instance ? null : 'instance';
}

/** From this record on, the new key seals; seals before it are of one that is no longer there. Null: there was only one. */
export function lastKeyChange(database: RowReader): { readonly seq: number; readonly key: string } | null {
  const row = database
    .prepare("SELECT seq, body FROM audit WHERE type = 'audit.key_replaced' ORDER BY seq DESC LIMIT 1")
    .get();
  if (row === undefined) return null;
  return { seq: Number(row['seq']), key: String(parse(String(row['body']))?.data['new']) };
}

function parse(text: string): RecordBody | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    const body = value as RecordBody;
    const isRecord =
      typeof body.type === 'string' && typeof body.seq === 'number' && typeof body.data === 'object';
    return isRecord && body.data !== null ? body : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
