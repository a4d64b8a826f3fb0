/**
 * A run as people see it, kept up to date from its events alone: no definition, no expressions. Names are those of
 * `status --json`; times are UTC ms.
 */
import type { Json, JsonObject, StepType } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import { assertNever } from './assert-never.ts';
import type { JournalEntry, RunEvent } from './events.ts';
import { lastId } from './paths.ts';
import type { RunStatus } from './transitions.ts';

export type StepStatus =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'completed'
  | 'failed'
  | 'skipped'
  | 'cancelled'
  | 'handled'
  | 'interrupted';

export interface StepRow {
  readonly path: string;
  readonly id: string;
  readonly type: StepType | null;
  readonly status: StepStatus;
  /** The number of the latest attempt; 0 when it never began. */
  readonly attempts: number;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  /** The result; null until there is one, and for what was skipped. */
  readonly outputs: Json;
  readonly error: ErrorRecord | null;
}

export interface RunView {
  readonly status: RunStatus;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly inputs: JsonObject;
  /** In the order in which they were first heard of. */
  readonly steps: readonly StepRow[];
  readonly context: { readonly readonly: JsonObject; readonly mutable: JsonObject };
  readonly error: ErrorRecord | null;
  readonly reason: string | null;
}

export interface RunProjection {
  /** Takes the next entry of the journal. Each once, in order of `seq`. */
  apply(entry: JournalEntry): void;
  /** The run as of the last entry; later entries don't change what was given out. */
  view(): RunView;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
type Row = Mutable<StepRow>;
type View = Omit<Mutable<RunView>, 'steps'> & { rows: Map<string, Row>; isRollingBack: boolean };

/** A projection of a run before its first event. */
export function projectRun(): RunProjection {
  const view: View = {
    status: 'initializing',
    started_at: null,
    ended_at: null,
    inputs: {},
    rows: new Map(),
    context: { readonly: {}, mutable: {} },
    error: null,
    reason: null,
    isRollingBack: false,
  };
  return {
    apply: (entry) => applyEvent(view, entry.event, entry.at),
    view: () => {
      const { rows, isRollingBack: _, ...rest } = view;
      return { ...rest, steps: [...rows.values()].map((row) => ({ ...row })) };
    },
  };
}

function applyEvent(view: View, event: RunEvent, at: number): void {
  switch (event.type) {
    case 'run.started':
      Object.assign(view, {
        status: 'running',
        started_at: at,
        inputs: event.inputs,
        context: event.context,
      });
      return;
    case 'run.resumed':
      resume(view, event.forgotten ?? [], event.reopened ?? []);
      return;
    case 'run.waiting':
      view.status = 'waiting';
      return;
    case 'run.stopping':
      view.status = 'stopping';
      return;
    case 'rollback.started':
      view.status = 'rolling_back';
      view.isRollingBack = true;
      return;
    case 'run.ended':
      Object.assign(view, { status: event.status, ended_at: at, error: event.error, reason: event.reason });
      return;
    case 'limit.hit':
      return;
    case 'step.started':
    case 'step.interrupted':
    case 'step.completed':
    case 'attempt.failed':
    case 'step.retrying':
    case 'step.failed':
    case 'step.skipped':
    case 'step.cancelled':
    case 'step.handled':
    case 'branch.chosen':
    case 'turn.started':
    case 'turn.completed':
      applyToStep(view, event, at);
      return;
    default:
      assertNever(event);
  }
}

function resume(view: View, forgotten: readonly string[], reopened: readonly string[]): void {
  const wasStopping = view.status === 'stopping';
  if (!wasStopping) view.status = view.isRollingBack ? 'rolling_back' : 'running';
  Object.assign(view, { ended_at: null, error: null, reason: null });
  for (const path of forgotten) view.rows.delete(path);
  for (const path of reopened) {
    const row = view.rows.get(path);
    if (row === undefined) continue;
    const isComposite = row.type !== 'skill' && row.type !== 'agent' && row.attempts > 0;
    const status = isComposite ? 'running' : 'pending';
    Object.assign(row, { status, ended_at: null, outputs: null, error: null });
  }
}

type StepEvent = Exclude<Extract<RunEvent, { readonly path: string }>, { readonly type: 'limit.hit' }>;

function applyToStep(view: View, event: StepEvent, at: number): void {
  const row = rowOf(view, event.path);
  if ('stepType' in event) row.type = event.stepType;
  if ('attempt' in event && event.type !== 'step.retrying') row.attempts = event.attempt;
  switch (event.type) {
    case 'step.started':
      row.status = 'running';
      row.started_at ??= at;
      return;
    case 'step.interrupted':
      row.status = 'interrupted';
      return;
    case 'attempt.failed':
      row.status = 'running';
      row.started_at ??= at;
      row.error = event.error;
      return;
    case 'step.retrying':
      row.status = 'waiting';
      return;
    case 'step.completed': {
      end(row, 'completed', at);
      Object.assign(row, { outputs: event.result, error: null });
      const { readonly, mutable } = view.context;
      if (Object.keys(event.writes).length > 0) {
        view.context = { readonly, mutable: { ...mutable, ...event.writes } };
      }
      return;
    }
    case 'step.handled':
      end(row, 'handled', at);
      row.outputs = event.result;
      return;
    case 'step.failed':
      end(row, 'failed', at);
      row.error = event.error;
      return;
    case 'step.skipped':
      end(row, 'skipped', at);
      row.error = event.error;
      return;
    case 'step.cancelled':
      end(row, 'cancelled', at);
      return;
    case 'branch.chosen':
    case 'turn.started':
    case 'turn.completed':
      return;
    default:
      assertNever(event);
  }
}

function end(row: Row, status: StepStatus, at: number): void {
  row.status = status;
  row.ended_at = at;
  if (status === 'completed') row.started_at ??= at;
}

function rowOf(view: View, path: string): Row {
  const known = view.rows.get(path);
  if (known !== undefined) return known;
  const row: Row = {
    path,
    id: lastId(path),
    type: null,
    status: 'pending',
    attempts: 0,
    started_at: null,
    ended_at: null,
    outputs: null,
    error: null,
  };
  view.rows.set(path, row);
  return row;
}
