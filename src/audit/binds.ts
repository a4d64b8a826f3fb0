import { canonicalJson, sha256 } from './canonical.ts';

/**
 * What ties a record to the state that was written in the same transaction. So who changes the state alone, or the
 * record alone, is found.
 */
export interface AuditBinds {
  /** The journal event that the record speaks of: its number, and the digest of the journal up to it. */
  readonly journal?: { readonly seq: number; readonly digest: string };
  /** The row of the instance as it is after this record. */
  readonly row?: RowHashes;
  /** The row of the registration; null when it was removed. */
  readonly registration?: string | null;
  /** As whom the registered workflow starts by the clock: hash of the column `starter`, null where it is. */
  readonly starter?: string | null;
  /** The row of the kept version that was registered. */
  readonly version?: string;
  /** The schedule of the workflow as it is after this record; null when it has none. */
  readonly schedule?: ScheduleState | null;
  /** What a person was asked: the row of the approval, without what becomes of it. */
  readonly approval?: string;
  /** Content in the side table, which may be erased there. */
  readonly payload?: { readonly sha256: string; readonly bytes: number };
}

/** Columns of a schedule but its name. */
export interface ScheduleState {
  readonly decided_to: number;
  readonly paused_at: number | null;
  readonly paused_by: string | null;
}

/** `moving` is what journal events change by themselves; `fixed` is all the rest. */
export interface RowHashes {
  readonly fixed: string;
  readonly moving: string;
}

type Row = Readonly<Record<string, unknown>>;

/**
 * Columns by name: a later migration may add some without changing what old records say. One that is null is left
 * out, so a new column may join these lists if it is null in the rows that are there already.
 */
export const FIXED_COLUMNS = [
  'id',
  'workflow',
  'version',
  'definition_hash',
  'pins_hash',
  'source',
  'workspace',
  'inputs',
  'context',
  'env',
  'limits',
  'created_at',
  'started_at',
  'incarnation',
  'token_hash',
  'process',
  'scope',
  'isolation',
  'usage',
  'active_ms',
  'active_since',
  'resume_from',
  'notice',
  'approvals',
] as const;

export const MOVING_COLUMNS = [
  'status',
  'reason',
  'error',
  'ended_at',
  'fruitless',
  'wake_at',
  'last_seq',
  'paused_at',
  'paused_by',
  'journal_digest',
] as const;

export const REGISTRATION_COLUMNS = [
  'name',
  'version',
  'definition_hash',
  'source',
  'registered_at',
] as const;

export const VERSION_COLUMNS = [
  'workflow',
  'number',
  'definition_hash',
  'version',
  'source',
  'registered_at',
  'registered_by',
] as const;

/** What is asked for, and never changes. */
export const APPROVAL_COLUMNS = [
  'instance',
  'number',
  'subject',
  'args_hash',
  'request',
  'requested_at',
  'expires_at',
] as const;

export function instanceHashes(row: Row): RowHashes {
  return { fixed: rowHash(row, FIXED_COLUMNS), moving: rowHash(row, MOVING_COLUMNS) };
}

export function rowHash(row: Row, columns: readonly string[]): string {
  const parts = columns.flatMap((name) => (row[name] === null ? [] : [[name, row[name]] as const]));
  return sha256(canonicalJson(Object.fromEntries(parts)));
}

/** The digest of a journal with one more event; the text of the event is hashed as it is stored. */
export function journalDigest(
  previous: string,
  event: { readonly seq: number; readonly incarnation: number; readonly at: number; readonly body: string },
): string {
  return sha256(`${previous}\n${event.seq}\n${event.incarnation}\n${event.at}\n${event.body}`);
}

/** The digest of the empty journal of an instance. */
export function emptyJournal(instance: string): string {
  return sha256(`q-workflow journal ${instance}`);
}
