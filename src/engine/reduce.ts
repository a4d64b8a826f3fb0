/** The reducer: the only way in which an event changes the state of a run. */
import type { RunEvent } from './events.ts';
import { ROLLBACK_PREFIX } from './paths.ts';
import type { Plan } from './plan.ts';
import { reduceStep } from './reduce-step.ts';
import { reopen } from './reopen.ts';
import { createFrame, type MutableRunState, type StepNode } from './run-state.ts';
import { isEndStatus, nextRunStatus, type RunStatus } from './transitions.ts';

/**
 * Applies one event and gives the node that it changed, or null for an event of the run. Throws IllegalTransition
 * for a move that the tables do not allow; its state and counts are then as before.
 */
export function reduce(state: MutableRunState, plan: Plan, event: RunEvent): StepNode | null {
  switch (event.type) {
    case 'run.started': {
      // Ended before it began, and opened again since: it begins now.
      if (isEndStatus(state.status) && !state.hasStarted) {
        Object.assign(state, { status: 'initializing', stopping: null, error: null, reason: null });
      }
      move(state, event.type, 'running');
      state.hasStarted = true;
      state.inputs = event.inputs;
      state.context = { readonly: event.context.readonly, mutable: { ...event.context.mutable } };
      return null;
    }
    case 'run.resumed': {
      const wasEnded = isEndStatus(state.status);
      move(state, event.type, 'running');
      if (state.status === 'running' && state.rollback !== null) state.status = 'rolling_back';
      state.waitUntil = null;
      if (wasEnded) {
        state.stopping = null;
        state.error = null;
        state.reason = null;
        for (const node of state.open) takeUpAtOnce(node);
      }
      reopen(state, event.forgotten ?? [], event.reopened ?? []);
      return null;
    }
    case 'rollback.started': {
      move(state, event.type, 'rolling_back');
      const steps = plan.workflow.errorHandling.rollback.steps.map((ref) => ref.step);
      const parts = {
        prefix: ROLLBACK_PREFIX,
        owner: null,
        area: 'rollback',
        steps,
        iteration: null,
      } as const;
      const frame = createFrame(parts);
      state.frames.set(ROLLBACK_PREFIX, frame);
      state.rollback = { step: event.step, error: event.error, frame };
      return null;
    }
    case 'run.stopping':
      move(state, event.type, 'stopping');
      state.stopping = { kind: event.kind, by: event.by };
      return null;
    case 'run.waiting':
      move(state, event.type, 'waiting');
      state.waitUntil = event.until;
      return null;
    case 'run.ended':
      move(state, event.type, event.status);
      state.status = event.status;
      state.error = event.error;
      state.reason = event.reason;
      return null;
    case 'limit.hit':
    case 'agent.requested':
    case 'agent.request_failed':
    case 'agent.answered':
    case 'agent.tool_called':
    case 'agent.tool_ended':
    case 'agent.violated':
      return null;
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
      return reduceStep(state, plan, event);
  }
}

/** What a person was asked before the end counts no more: it asks anew. A retry begins at once, and its count anew. */
function takeUpAtOnce(node: StepNode): void {
  if (node.status !== 'suspended' && node.status !== 'retrying') return;
  node.dueAt = 0;
  if (node.status === 'retrying') node.attemptBase = node.attempt - 1;
}

function move(state: MutableRunState, type: RunEvent['type'], aim: RunStatus): void {
  state.status = nextRunStatus(state.status, type, aim);
}
