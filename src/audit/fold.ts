import type { RowHashes } from './binds.ts';
import { hashJson } from './canonical.ts';
import type { FoldRecord } from './fold-record.ts';
import { loadTold, nothingTold, saveTold, type Told, type ToldHeads, tellRecord } from './told.ts';
import {
  loadWorkflows,
  noWorkflowsTold,
  saveWorkflows,
  type ToldWorkflows,
  tellWorkflow,
  type WorkflowHeads,
} from './told-workflows.ts';

/** What the records so far say that the tables must hold. */
export interface Fold {
  readonly instances: Map<string, InstanceFold>;
  /** Name → hash of the row, null when it was removed. */
  readonly registrations: Map<string, string | null>;
  /** Hashes of payloads that were erased. */
  readonly erased: Set<string>;
  readonly told: Told;
  readonly workflows: ToldWorkflows;
}

export interface InstanceFold {
  /** The last journal event with a record. */
  journal: { seq: number; digest: string } | null;
  row: RowHashes | null;
  /** The status that it has by its records; null where none that is known says it. */
  status: string | null;
  /** Its end. `error` is a hash, absent in what older versions left of pruned records. */
  end: { status: string; reason: string; at: number; error?: string } | null;
  /** Since when and by whom it is paused; absent where no record that is known says it. */
  paused?: { at: number; by: string } | null;
  /** Events came after `row`: its moving part is no longer that. */
  hasMoved: boolean;
  /** The last record that is tied to the row or the journal. */
  record: number;
  /** Row and journal went to an archive: neither is to be here. */
  isArchived?: boolean;
}

/** A fold as JSON: kept when the records that made it are pruned. */
export interface Heads {
  readonly instances: Readonly<Record<string, InstanceFold>>;
  readonly registrations: Readonly<Record<string, string | null>>;
  readonly erased: readonly string[];
  /** Absent in those of an older version. */
  readonly told?: ToldHeads | null;
  readonly workflows?: WorkflowHeads | null;
}

const STATUS_BY_EVENT: Readonly<Record<string, string>> = {
  'run.started': 'running',
  'run.resumed': 'running',
  'run.stopping': 'stopping',
  'rollback.started': 'rolling_back',
  'run.waiting': 'waiting',
};

/** What these change of the status, and that there is no end (any more). */
const STATUS_BY_CHANGE: Readonly<Record<string, string>> = {
  'instance.created': 'queued',
  'instance.launched': 'initializing',
  'instance.resume_requested': 'queued',
};

export function emptyFold(): Fold {
  return {
    instances: new Map(),
    registrations: new Map(),
    erased: new Set(),
    told: nothingTold(),
    workflows: noWorkflowsTold(),
  };
}

/** Takes one record in. Records of a log in their order; anything else makes no sense. */
export function foldRecord(fold: Fold, record: FoldRecord): void {
  const { seq, type, at, instance, data, binds } = record;
  tellRecord(fold.told, record);
  tellWorkflow(fold.workflows, record);
  if (type === 'audit.payload_erased') fold.erased.add(String(data['sha256']));
  if (type === 'audit.upgraded') loadHeads(fold, data['heads'] as Heads);
  if (binds?.registration !== undefined) fold.registrations.set(String(data['workflow']), binds.registration);
  if (instance === null) return;
  if (type === 'instance.archived') {
    fold.instances.set(instance, { ...unknownInstance(), isArchived: true, record: seq });
    return;
  }
  const known = fold.instances.get(instance) ?? unknownInstance();
  fold.instances.set(instance, known);
  if (type === 'instance.unarchived') delete known.isArchived;
  if (binds?.row !== undefined) {
    Object.assign(known, { row: binds.row, hasMoved: false, record: seq });
    const status = STATUS_BY_CHANGE[type];
    if (status !== undefined) Object.assign(known, { status, end: null });
    foldPause(known, record);
  }
  if (binds?.journal === undefined) return;
  known.journal = { seq: binds.journal.seq, digest: binds.journal.digest };
  // One that came back from an archive is tied with all of its journal, and its row is as it was.
  known.hasMoved = type !== 'instance.unarchived';
  known.record = seq;
  known.status = STATUS_BY_EVENT[type] ?? known.status;
  if (type !== 'run.ended') return;
  known.status = String(data['status']);
  known.end = {
    status: known.status,
    reason: String(data['reason']),
    at,
    error: hashJson(data['error'] ?? null),
  };
  known.paused = null;
}

function foldPause(known: InstanceFold, { type, at, actor }: FoldRecord): void {
  if (type === 'instance.created' || type === 'instance.unpaused') known.paused = null;
  if (type !== 'instance.paused' || actor === undefined) return;
  known.paused = { at, by: actor.kind === 'supervisor' ? actor.kind : `${actor.kind} ${actor.id}` };
}

export function loadHeads(fold: Fold, heads: Heads): void {
  for (const [id, instance] of Object.entries(heads.instances)) fold.instances.set(id, { ...instance });
  for (const [name, hash] of Object.entries(heads.registrations)) fold.registrations.set(name, hash);
  for (const hash of heads.erased) fold.erased.add(hash);
  loadTold(fold.told, heads.told ?? null);
  loadWorkflows(fold.workflows, heads.workflows ?? null);
}

/** Of archived instances nothing is left to be told: what is kept does not grow for ever. */
export function saveHeads(fold: Fold): Heads {
  return {
    instances: Object.fromEntries([...fold.instances].filter(([, { isArchived }]) => isArchived !== true)),
    registrations: Object.fromEntries(fold.registrations),
    erased: [...fold.erased].sort(),
    told: saveTold(fold.told),
    workflows: saveWorkflows(fold.workflows),
  };
}

/** An instance of which a head or a record names no more than its journal. */
export function unknownInstance(): InstanceFold {
  return { journal: null, row: null, status: null, end: null, hasMoved: false, record: 0 };
}
