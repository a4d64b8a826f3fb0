/** Carries out the strategy of a node whose attempt failed. */

import type { HandlerRef } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import { assertNever } from './assert-never.ts';
import { cancelFlow, cancelWithin } from './cancel.ts';
import { failure } from './failure.ts';
import { createHandler } from './locate.ts';
import { hasEnded, type StepNode } from './run-state.ts';
import { emit, type Runtime } from './runtime.ts';
import { decide, retryDelayMs } from './strategy.ts';

export function carryOutStrategy(run: Runtime, node: StepNode): void {
  const { path } = node;
  const error = node.error ?? failure('INTERNAL', `${path} failed without an error.`, path);
  const verdict = decide(run.state, run.plan, node, error);
  switch (verdict.kind) {
    case 'halt':
      cancelWithin(run, node, 'sibling_failed');
      emit(run, { type: 'step.failed', path, error });
      return;
    case 'skip':
      cancelWithin(run, node, 'sibling_failed');
      emit(run, { type: 'step.skipped', path, reason: 'error', error });
      return;
    case 'retry': {
      cancelWithin(run, node, 'group_retry');
      const { now, random } = run.surroundings;
      const delayMs = retryDelayMs(verdict.retry, verdict.failures, random);
      const attempt = node.attempt + 1;
      emit(run, { type: 'step.retrying', path, attempt, delayMs, dueAt: now + delayMs });
      return;
    }
    case 'custom':
      handle(run, node, verdict.handler, error);
      return;
    case 'rollback':
      emit(run, { type: 'rollback.started', step: path, error });
      beginRollback(run);
      return;
    default:
      assertNever(verdict);
  }
}

/** The flow is over: the step that asked for the rollback has failed, all else that is open is cancelled. */
export function beginRollback(run: Runtime): void {
  const { rollback, nodes } = run.state;
  if (rollback === null) return;
  const trigger = nodes.get(rollback.step);
  if (trigger?.status === 'failing') {
    cancelWithin(run, trigger, 'rollback');
    emit(run, { type: 'step.failed', path: trigger.path, error: rollback.error });
  }
  cancelFlow(run);
}

function handle(run: Runtime, node: StepNode, ref: HandlerRef, error: ErrorRecord): void {
  const { path } = node;
  const { handler } = node;
  if (handler === null) {
    cancelWithin(run, node, 'sibling_failed');
    run.schedule.look(createHandler(run.state, node, ref));
    return;
  }
  if (!hasEnded(handler)) {
    run.schedule.look(handler);
    return;
  }
  if (handler.status !== 'failed' && handler.status !== 'cancelled') {
    emit(run, { type: 'step.handled', path, handler: ref.id, result: handler.result });
    return;
  }
  const cause = handler.error?.message ?? handler.status;
  const message = `${error.message}; its handler ${ref.id} failed too: ${cause}`;
  const details = { error, handler: handler.error };
  emit(run, { type: 'step.failed', path, error: failure('HANDLER_FAILED', message, path, details) });
}
