/**
 * A run as people see it, kept up to date from its events alone: no definition, no expressions. Names are those of
 * `status --json`; times are UTC ms.
 */
import { isLeafType, type JsonObject } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import { assertNever } from './assert-never.ts';
import type { JournalEntry, RunEvent } from './events.ts';
import { applyToRow, createRow, type Row, type StepRow } from './projection-rows.ts';
import type { StepEvent } from './reduce-step.ts';
import type { RunStatus } from './transitions.ts';

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
  /** Limits that were met, the last MAX_LIMITS of them. */
  readonly limits: readonly LimitHit[];
}

type LimitHit = Extract<RunEvent, { type: 'limit.hit' }>;

/** A loop may meet a limit at every turn: people need the last ones, the journal has all. */
const MAX_LIMITS = 50;

export interface RunProjection {
  /** Takes the next entry of the journal. Each once, in order of `seq`. */
  apply(entry: JournalEntry): void;
  /** The run as of the last entry; later entries don't change what was given out. Copies every row. */
  view(): RunView;
  /** The status alone, at no cost. */
  readonly status: RunStatus;
  /** The row of one step, or null when nothing of it is known. */
  row(path: string): StepRow | null;
}

type Mutable<Type> = { -readonly [Key in keyof Type]: Type[Key] };
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
    limits: [],
    isRollingBack: false,
  };
  return {
    apply: (entry) => applyEvent(view, entry.event, entry.at),
    view: () => {
      const { rows, isRollingBack: _, ...rest } = view;
      return { ...rest, steps: [...rows.values()].map((row) => shown(view, row)) };
    },
    get status() {
      return view.status;
    },
    row: (path) => {
      const row = view.rows.get(path);
      return row === undefined ? null : shown(view, row);
    },
  };
}

/**
 * A copy of the row for people. When a run is ended from outside (killed, out of memory) nobody is left to say what
 * became of its open steps: they were interrupted with it. Kept out of the row, since a resume goes on from there.
 */
function shown(view: View, row: Row): StepRow {
  const isOpen = row.status === 'running' || row.status === 'waiting';
  return isOpen && view.ended_at !== null
    ? { ...row, status: 'interrupted', ended_at: view.ended_at }
    : { ...row };
}

function applyEvent(view: View, event: RunEvent, at: number): void {
  switch (event.type) {
    case 'run.started':
      Object.assign(view, {
        status: 'running',
        started_at: at,
        ended_at: null,
        error: null,
        reason: null,
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
      view.limits = [...view.limits, event].slice(-MAX_LIMITS);
      return;
    case 'agent.requested':
    case 'agent.request_failed':
    case 'agent.answered':
    case 'agent.tool_called':
    case 'agent.tool_ended':
    case 'agent.violated':
      return;
    case 'step.started':
    case 'step.interrupted':
    case 'step.suspended':
    case 'step.released':
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
  if (view.ended_at !== null) for (const row of view.rows.values()) row.approvals = [];
  if (!wasStopping) view.status = view.isRollingBack ? 'rolling_back' : 'running';
  Object.assign(view, { ended_at: null, error: null, reason: null });
  for (const path of forgotten) view.rows.delete(path);
  for (const path of reopened) {
    const row = view.rows.get(path);
    if (row === undefined) continue;
    const isComposite = !isLeafType(row.type) && row.attempts > 0;
    const status = isComposite ? 'running' : 'pending';
    Object.assign(row, { status, ended_at: null, outputs: null, error: null });
  }
}

function applyToStep(view: View, event: StepEvent, at: number): void {
  const row = view.rows.get(event.path) ?? createRow(event.path);
  view.rows.set(event.path, row);
  applyToRow(row, event, at);
  if (event.type !== 'step.completed' || Object.keys(event.writes).length === 0) return;
  const { readonly, mutable } = view.context;
  view.context = { readonly, mutable: { ...mutable, ...event.writes } };
}
