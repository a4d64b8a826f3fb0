import type { ScheduleState } from './binds.ts';
import type { FoldRecord } from './fold-record.ts';

/** What records say of registered workflows beside their rows: who they start as, kept versions, schedules and fires. */
export interface ToldWorkflows {
  /** Name → hash of the column `starter`. */
  readonly starters: Map<string, string | null>;
  /** `number name` → hash of the row. */
  readonly versions: Map<string, string>;
  /** Name → the row; null where it has none. */
  readonly schedules: Map<string, ScheduleState | null>;
  /** Name → instant → its decision. Of pruned records none is kept: there are millions in the end. */
  readonly fires: Map<string, Map<number, ToldFire>>;
  /** Names of which records of an older version speak: they say nothing of the first three. */
  readonly older: Set<string>;
  /** Rows of fires before this may be gone, UTC ms. */
  firesFrom: number;
  /** False where rows may be older than the first record that is known. */
  isWhole: boolean;
}

export interface ToldFire {
  /** Any of these. */
  readonly statuses: readonly string[];
  readonly instance: string | null;
  readonly reason: string | null;
  readonly decidedAt: number;
  readonly record: number;
  /** Whether it went with the schedule while it waited. */
  dropped: 'no' | 'maybe' | 'yes';
}

/** As JSON, in what pruned records leave behind. */
export interface WorkflowHeads {
  readonly starters: Readonly<Record<string, string | null>>;
  readonly versions: Readonly<Record<string, string>>;
  readonly schedules: Readonly<Record<string, ScheduleState | null>>;
  readonly older: readonly string[];
}

const STATUSES: Readonly<Record<string, readonly string[]>> = {
  'schedule.fired': ['started'],
  'schedule.skipped': ['skipped'],
  'schedule.queued': ['queued', 'replacing'],
  'schedule.refused': ['refused'],
  'schedule.failed': ['failed'],
};

export function noWorkflowsTold(): ToldWorkflows {
  return {
    starters: new Map(),
    versions: new Map(),
    schedules: new Map(),
    fires: new Map(),
    older: new Set(),
    firesFrom: Number.NEGATIVE_INFINITY,
    isWhole: true,
  };
}

export function tellWorkflow(told: ToldWorkflows, record: FoldRecord): void {
  const { type, at, data } = record;
  if (type.startsWith('workflow.')) tellRegistration(told, record);
  else if (type === 'schedule.fires_pruned')
    told.firesFrom = Math.max(told.firesFrom, Number(data['before']));
  else if (type.startsWith('schedule.')) tellSchedule(told, record);
  else if (type === 'clock.jumped')
    for (const [name, state] of told.schedules)
      if (state !== null && state.decided_to > at) told.schedules.set(name, { ...state, decided_to: at });
}

function tellRegistration(told: ToldWorkflows, record: FoldRecord): void {
  const { type, data, binds } = record;
  if (type !== 'workflow.registered' && type !== 'workflow.unregistered') return;
  const name = String(data['workflow']);
  tellState(told, name, record);
  if (binds?.starter === undefined) told.starters.delete(name);
  else told.starters.set(name, binds.starter);
  if (binds?.version !== undefined) told.versions.set(`${String(data['number'])} ${name}`, binds.version);
  if (binds?.schedule === undefined || binds.schedule === null)
    for (const fire of told.fires.get(name)?.values() ?? [])
      if (fire.statuses.includes('queued') && fire.dropped !== 'yes')
        fire.dropped = binds?.schedule === null ? 'yes' : 'maybe';
}

function tellSchedule(told: ToldWorkflows, record: FoldRecord): void {
  const { type, seq, at, instance, data } = record;
  const name = String(data['workflow']);
  tellState(told, name, record);
  const statuses = STATUSES[type];
  if (statuses === undefined) return;
  const reason = typeof data['reason'] === 'string' ? data['reason'] : null;
  const fires = told.fires.get(name) ?? new Map<number, ToldFire>();
  told.fires.set(name, fires);
  const fire = { statuses, instance, reason, decidedAt: at, record: seq, dropped: 'no' } as const;
  fires.set(Date.parse(String(data['fire'])), { ...fire });
}

function tellState(told: ToldWorkflows, name: string, { binds }: FoldRecord): void {
  if (binds?.schedule !== undefined) told.schedules.set(name, binds.schedule);
  else {
    told.older.add(name);
    told.schedules.delete(name);
  }
}

export function saveWorkflows(told: ToldWorkflows): WorkflowHeads | null {
  if (!told.isWhole) return null;
  return {
    starters: Object.fromEntries(told.starters),
    versions: Object.fromEntries(told.versions),
    schedules: Object.fromEntries(told.schedules),
    older: [...told.older].sort(),
  };
}

/** `null`: the records that are gone left nothing of it. */
export function loadWorkflows(told: ToldWorkflows, heads: WorkflowHeads | null): void {
  if (heads === null) {
    told.isWhole = false;
    return;
  }
  for (const [name, hash] of Object.entries(heads.starters)) told.starters.set(name, hash);
  for (const [key, hash] of Object.entries(heads.versions)) told.versions.set(key, hash);
  for (const [name, state] of Object.entries(heads.schedules)) told.schedules.set(name, state);
  for (const name of heads.older) told.older.add(name);
}
