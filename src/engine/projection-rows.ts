/** The rows of a projected run: one a step, named as in `status --json`. */
import type { Json, StepType } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import { assertNever } from './assert-never.ts';
import { lastId } from './paths.ts';
import type { StepEvent } from './reduce-step.ts';

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
  /** Approvals that it waits for, by number. */
  readonly approvals: readonly number[];
}

export type Row = { -readonly [Key in keyof StepRow]: StepRow[Key] };

/** Takes in one event of the step. */
export function applyToRow(row: Row, event: StepEvent, at: number): void {
  if ('stepType' in event) row.type = event.stepType;
  if ('attempt' in event && event.type !== 'step.retrying') row.attempts = event.attempt;
  // Whatever comes next, it does not wait for them any more.
  row.approvals = event.type === 'step.suspended' ? event.approvals : [];
  switch (event.type) {
    case 'step.started':
      row.status = 'running';
      row.started_at ??= at;
      return;
    case 'step.interrupted':
      row.status = 'interrupted';
      return;
    case 'step.suspended':
      row.status = 'waiting';
      return;
    case 'step.released':
      return;
    case 'attempt.failed':
      row.status = 'running';
      row.started_at ??= at;
      row.error = event.error;
      return;
    case 'step.retrying':
      row.status = 'waiting';
      return;
    case 'step.completed':
      end(row, 'completed', at);
      Object.assign(row, { outputs: event.result, error: null });
      return;
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

/** A row of which nothing is known but its path. */
export function createRow(path: string): Row {
  return {
    path,
    id: lastId(path),
    type: null,
    status: 'pending',
    attempts: 0,
    started_at: null,
    ended_at: null,
    outputs: null,
    error: null,
    approvals: [],
  };
}
