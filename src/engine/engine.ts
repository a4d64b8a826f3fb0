/** The interpreter behind its contract: one object for one run, one call at a time. */
import type { JsonObject, Workflow } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { isAgentEvent } from './agent-events.ts';
import { cancelAll } from './cancel.ts';
import type { Engine, Outcome, Progress, Surroundings } from './contract.ts';
import { settleInterrupted } from './drive.ts';
import type { Evaluator } from './evaluator.ts';
import type { ResumeCause, RunEvent, StopKind } from './events.ts';
import { completeNode, failAttempt } from './finish.ts';
import { pump } from './pump.ts';
import { reduce } from './reduce.ts';
import { planResume } from './resume-plan.ts';
import { isLeaf, nextAttempt, type StepNode } from './run-state.ts';
import { createRuntime, emit, type Runtime, takeProgress } from './runtime.ts';
import { IllegalTransition, isEndStatus } from './transitions.ts';

interface EngineOptions {
  readonly evaluator: Evaluator;
}

/** An engine at the state before the first event: apply the journal, or `run.started`, to it. */
export function createEngine(workflow: Workflow, options: EngineOptions): Engine {
  const run = createRuntime(workflow, options.evaluator);
  return {
    state: run.state,
    apply: (event) => replay(run, event),
    advance: (surroundings) => advance(run, surroundings),
    resume: (cause, from) => resume(run, cause, from),
    isCurrent: (path, attempt) => currentNode(run, path, attempt) !== null,
    begin: (path, attempt, inputs) => begin(run, path, attempt, inputs),
    settle: (outcome, surroundings) => settle(run, outcome, surroundings),
    release: (approval) => release(run, approval),
    stop: (kind, by) => stop(run, kind, by),
  };
}

function replay(run: Runtime, event: RunEvent): void {
  reduce(run.state, run.plan, event);
  if (event.type !== 'limit.hit' && !isAgentEvent(event)) run.schedule.needsScan = true;
}

function advance(run: Runtime, surroundings: Surroundings): Progress {
  const { status } = run.state;
  if (status === 'initializing') throw new IllegalTransition('run', status, 'running', 'it has not started');
  run.surroundings = surroundings;
  pump(run);
  return takeProgress(run);
}

function begin(run: Runtime, path: string, attempt: number, inputs: JsonObject): RunEvent {
  const node = currentNode(run, path, attempt);
  if (node === null || node.status === 'running') {
    const from = run.state.nodes.get(path)?.status ?? 'absent';
    throw new IllegalTransition(path, from, 'running', `attempt ${attempt} was not asked for`);
  }
  const event: RunEvent = { type: 'step.started', path, stepType: node.step.type, attempt, inputs };
  emit(run, event);
  run.schedule.undispatch(node);
  run.events.length = 0;
  return event;
}

function settle(run: Runtime, outcome: Outcome, surroundings: Surroundings): Progress {
  run.surroundings = surroundings;
  const node = currentNode(run, outcome.path, outcome.attempt);
  if (node === null) return takeProgress(run);
  if (outcome.kind === 'completed') completeNode(run, node, outcome.result);
  else if (outcome.kind === 'failed') failAttempt(run, node, { ...outcome.error, step: node.path });
  else {
    const { attempt, approvals, until } = outcome;
    emit(run, { type: 'step.suspended', path: node.path, attempt, approvals, until });
  }
  run.schedule.undispatch(node);
  return takeProgress(run);
}

function release(run: Runtime, approval: number): Progress {
  const { state } = run;
  const waiting = [...state.open].filter(
    (node) => node.status === 'suspended' && node.dueAt !== 0 && node.approvals.includes(approval),
  );
  if (waiting.length > 0 && state.status === 'waiting')
    emit(run, { type: 'run.resumed', cause: 'wait_over', from: null });
  for (const node of waiting) emit(run, { type: 'step.released', path: node.path, approval });
  return takeProgress(run);
}

function stop(run: Runtime, kind: StopKind, by: string): Progress {
  if (run.state.status !== 'stopping') {
    emit(run, { type: 'run.stopping', kind, by });
    cancelAll(run, 'stopping');
  }
  return takeProgress(run);
}

function resume(run: Runtime, cause: ResumeCause, from: string | null): Progress {
  const { state } = run;
  const isOver = isEndStatus(state.status);
  if (state.status === 'initializing' || (isOver && cause !== 'requested')) {
    throw new IllegalTransition('run', state.status, 'running', `cause ${cause}`);
  }
  if (!isOver && from !== null) {
    throw new IllegalTransition('run', state.status, 'running', `from ${from} needs a run that has ended`);
  }
  if (isOver) {
    // The table is asked before the plan, so that a run that can't be resumed says so and not that a step is missing.
    if (
      state.status === 'completed' ||
      state.status === 'rolled_back' ||
      state.status === 'rollback_failed'
    ) {
      throw new IllegalTransition('run', state.status, 'running');
    }
    emit(run, { type: 'run.resumed', cause, from, ...planResume(state, from) });
  } else emit(run, { type: 'run.resumed', cause, from });
  run.schedule.needsScan = true;
  for (const node of [...state.open]) interrupt(run, node);
  return takeProgress(run);
}

function interrupt(run: Runtime, node: StepNode): void {
  if (!isLeaf(node) || node.status !== 'running') return;
  emit(run, { type: 'step.interrupted', path: node.path, attempt: node.attempt });
  if (run.state.status !== 'stopping') settleInterrupted(run, node);
}

/** The node whose attempt is with the driver, asked for or begun. */
function currentNode(run: Runtime, path: string, attempt: number): StepNode | null {
  const node = run.state.nodes.get(path);
  if (node === undefined || !isLeaf(node) || isEndStatus(run.state.status)) return null;
  if (!Number.isInteger(attempt)) throw new WorkflowError('INTERNAL', `attempt ${attempt} is no number`);
  if (node.status === 'running') return node.attempt === attempt ? node : null;
  return run.schedule.isDispatched(node, attempt) && nextAttempt(node) === attempt ? node : null;
}
