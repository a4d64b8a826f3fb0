import type { FoldRecord } from './fold-record.ts';

/** What records say of approvals and kill switches: their rows are tied by it, not by hashes of their own. */
export interface Told {
  /** `instance number` → what was asked and decided. */
  readonly approvals: Map<string, ToldApproval>;
  /** Scope → the trips that records speak of. */
  readonly latches: Map<string, ToldLatch>;
  /** Instances that came back from an archive: the records of their approvals may be pruned. */
  readonly untold: Set<string>;
  /** False where rows may be older than the first record that is known. */
  isWhole: boolean;
}

export interface ToldApproval {
  argsHash: string | null;
  /** Hash of what was asked; null, or absent, in what older versions wrote. */
  asked?: string | null;
  /** The run was opened again by hand since: it counts no more. */
  isVoid?: boolean;
  expiresAt: string | null;
  /** Status, who and when, for each record that ended it. */
  readonly ends: ToldEnd[];
  /** The last record that speaks of it. */
  record: number;
}

export interface ToldEnd {
  readonly status: string;
  readonly by: string | null;
  readonly at: number;
  /** What the person said. Absent in what older versions left of pruned records. */
  readonly reason?: string | null;
}

export interface ToldLatch {
  /** Mode, reason, who and when: the row is one of these. */
  readonly trips: (readonly [string, string, string, number])[];
  /** Its row has to be there: tripped by a record of the same commit, and not armed again. */
  isTripped: boolean;
  record: number;
}

/** As JSON, in what pruned records leave behind. */
export interface ToldHeads {
  readonly approvals: Readonly<Record<string, ToldApproval>>;
  readonly latches: Readonly<Record<string, ToldLatch>>;
  readonly untold: readonly string[];
}

export function nothingTold(): Told {
  return { approvals: new Map(), latches: new Map(), untold: new Set(), isWhole: true };
}

const STATUS: Readonly<Record<string, string>> = {
  'approval.granted': 'approved',
  'approval.denied': 'denied',
  'approval.expired': 'expired',
  'approval.withdrawn': 'withdrawn',
};

export function tellRecord(told: Told, record: FoldRecord): void {
  const { type, instance } = record;
  if (type.startsWith('kill.')) tellLatch(told, record);
  if (instance === null) return;
  if (type.startsWith('approval.')) tellApproval(told, instance, record);
  if (type === 'instance.archived')
    for (const key of [...told.approvals.keys()])
      if (key.startsWith(`${instance} `)) told.approvals.delete(key);
  if (type === 'instance.resume_requested')
    for (const [key, approval] of told.approvals) if (key.startsWith(`${instance} `)) approval.isVoid = true;
  if (type === 'instance.unarchived') told.untold.add(instance);
}

function tellLatch({ latches }: Told, { type, seq, at, data }: FoldRecord): void {
  if (type !== 'kill.tripped' && type !== 'kill.rearmed') return;
  const scope = String(data['scope']);
  const known = latches.get(scope) ?? { trips: [], isTripped: false, record: seq };
  latches.set(scope, known);
  known.record = seq;
  if (type === 'kill.rearmed') known.isTripped = false;
  else {
    known.trips.push([String(data['mode']), String(data['reason']), String(data['by']), at]);
    // A spooled one is held by its file until the next start.
    if (data['spooled'] !== true) known.isTripped = true;
  }
}

function tellApproval(
  { approvals }: Told,
  instance: string,
  { type, seq, at, data, actor, binds }: FoldRecord,
): void {
  const key = `${instance} ${String(data['approval'])}`;
  const unknown = { argsHash: null, asked: null, isVoid: false, expiresAt: null, ends: [], record: seq };
  const known: ToldApproval = approvals.get(key) ?? unknown;
  approvals.set(key, known);
  known.record = seq;
  if (type === 'approval.requested') {
    known.argsHash = String(data['args_hash']);
    known.expiresAt = String(data['expires_at']);
    known.asked = binds?.approval ?? null;
    return;
  }
  const status = STATUS[type];
  if (status === undefined) return;
  const isOfPerson = status === 'approved' || status === 'denied';
  const reason = typeof data['reason'] === 'string' ? data['reason'] : null;
  const by = isOfPerson ? `${String(actor?.kind)} ${String(actor?.id)}` : null;
  known.ends.push({ status, by, at, reason: isOfPerson ? reason : null });
}

export function saveTold({ approvals, latches, untold, isWhole }: Told): ToldHeads | null {
  if (!isWhole) return null;
  return {
    approvals: Object.fromEntries(approvals),
    latches: Object.fromEntries(latches),
    untold: [...untold].sort(),
  };
}

/** `null`: the records that are gone left nothing of it. */
export function loadTold(told: Told, heads: ToldHeads | null): void {
  if (heads === null) {
    told.isWhole = false;
    return;
  }
  for (const [key, approval] of Object.entries(heads.approvals)) told.approvals.set(key, approval);
  for (const [scope, latch] of Object.entries(heads.latches)) told.latches.set(scope, latch);
  for (const instance of heads.untold) told.untold.add(instance);
}
