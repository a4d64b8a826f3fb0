/** What concerns the run as a whole: the top of its flow, the rollback, and how it ends. */
import { ERROR_TABLE, type ErrorCode } from '../errors/table.ts';
import { type ErrorRecord, WorkflowError } from '../errors/workflow-error.ts';
import { cancelAll } from './cancel.ts';
import { beginRollback } from './drive-failure.ts';
import type { EndStatus, RunEvent, StopKind } from './events.ts';
import { createChild, createUndo } from './locate.ts';
import { hasEnded, isFrameDone, type MutableRunState, type StepNode } from './run-state.ts';
import { emit, type Runtime } from './runtime.ts';
import { takeUpNext } from './sequence.ts';

export function lookAtRun(run: Runtime): void {
  const { status } = run.state;
  if (status === 'running') driveTop(run);
  else if (status === 'rolling_back') driveRollback(run);
  else if (status === 'stopping') endStopped(run);
}

function driveTop(run: Runtime): void {
  const { root } = run.state;
  const { failed } = root;
  if (failed !== null) {
    cancelAll(run, 'halted');
    emit(run, {
      type: 'run.ended',
      status: 'failed',
      reason: failureReason(failed.error, failed.path),
      error: failed.error,
    });
    return;
  }
  takeUpNext(run, root);
  if (isFrameDone(root))
    emit(run, { type: 'run.ended', status: 'completed', reason: 'completed', error: null });
}

/** One line with the numbers that matter: of a step that was killed for memory, its limit and peak. */
function failureReason(error: ErrorRecord | null, path: string): string {
  const step = error?.step ?? path;
  const { limit_bytes: limit, peak_bytes: peak } = error?.details ?? {};
  if (error?.code === 'STEP_OOM' && typeof limit === 'number' && typeof peak === 'number')
    return `oom: ${megabytes(limit)} MB limit, peak ${megabytes(peak)} MB, step ${step}`;
  return `step_failed: ${error?.code ?? 'INTERNAL'}, step ${step}`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024);
}

/** Undo steps one after another, then the rollback steps; one that fails does not keep the others from running. */
function driveRollback(run: Runtime): void {
  const { state, schedule } = run;
  if (state.rollback === null) return;
  beginRollback(run);
  schedule.undoList ??= undoOrder(state);
  for (let host = schedule.undoList[schedule.undoIndex]; host !== undefined; ) {
    if (!isServed(run, host)) return;
    schedule.undoIndex += 1;
    host = schedule.undoList[schedule.undoIndex];
  }
  const { frame, error } = state.rollback;
  for (let step = frame.steps[frame.cursor]; step !== undefined; step = frame.steps[frame.cursor]) {
    const node = createChild(state, frame, step);
    if (!hasEnded(node)) {
      schedule.look(node);
      return;
    }
    frame.cursor += 1;
  }
  const failed = compensations(state).filter((node) => node.status === 'failed');
  const undone = schedule.undoList.length;
  const names = failed.map((node) => node.path).join(', ');
  if (failed.length === 0) {
    const reason = `rolled_back: ${undone} undone after ${error.code}, step ${error.step ?? state.rollback.step}`;
    emit(run, { type: 'run.ended', status: 'rolled_back', reason, error });
  } else {
    const reason = `rollback_failed: ${failed.length} of ${compensations(state).length} failed: ${names}`;
    emit(run, { type: 'run.ended', status: 'rollback_failed', reason, error });
  }
}

/** True when the undo step of the host has ended; else sees to it that it runs. */
function isServed(run: Runtime, host: StepNode): boolean {
  if (host.step.undo === null) return true;
  const node = createUndo(run.state, host, host.step.undo.step);
  if (hasEnded(node)) return true;
  run.schedule.look(node);
  return false;
}

/** Completed and handled steps that have an undo, the one that began last first. */
function undoOrder(state: MutableRunState): StepNode[] {
  return [...state.nodes.values()]
    .filter((node) => node.step.undo !== null && node.area !== 'rollback')
    .filter((node) => node.status === 'completed' || node.status === 'handled')
    .sort((a, b) => b.order - a.order);
}

/** Undo and rollback steps themselves, without what is inside them. */
function compensations(state: MutableRunState): StepNode[] {
  const steps = state.rollback === null ? [] : [...state.rollback.frame.children.values()];
  const undos = [...state.nodes.values()].flatMap((node) => node.undo ?? []);
  return [...undos, ...steps];
}

interface StopEnd {
  readonly status: EndStatus;
  readonly code: ErrorCode;
}

/** How each kind of stop ends the run. */
const STOP_ENDS: Readonly<Record<StopKind, StopEnd>> = {
  stop: { status: 'stopped', code: 'STOPPED' },
  time_limit: { status: 'timed_out', code: 'TIME_LIMIT' },
  kill_switch: { status: 'killed', code: 'KILL_SWITCH' },
  supervisor_lost: { status: 'failed', code: 'SUPERVISOR_LOST' },
};

function endStopped(run: Runtime): void {
  const { state } = run;
  if (state.stopping === null) return;
  cancelAll(run, 'stopping');
  emit(run, stopEnd(state.stopping.kind, state.stopping.by, undoneSoFar(state)));
}

/** The end of a run that was stopped; `note` goes on with the reason. */
export function stopEnd(kind: StopKind, by: string, note: string): Extract<RunEvent, { type: 'run.ended' }> {
  const { status, code } = STOP_ENDS[kind];
  const error: ErrorRecord = new WorkflowError(code, ERROR_TABLE[code].meaning).toRecord();
  return { type: 'run.ended', status, reason: `${kind}: by ${by}${note}`, error };
}

/** Stopping wins over a rollback: the reason then says how far that came. */
function undoneSoFar(state: MutableRunState): string {
  if (state.rollback === null) return '';
  const undone = compensations(state).filter(
    (node) => node.status === 'completed' || node.status === 'handled',
  );
  return `, during rollback; undone: ${undone.map((node) => node.path).join(', ') || 'nothing'}`;
}
