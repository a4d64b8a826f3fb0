/** The part of the reducer that deals with events of steps. */
import type { ConditionalStep, Step } from '../definition/workflow.ts';
import type { AgentEventType } from './agent-events.ts';
import type { RunEvent } from './events.ts';
import { locate } from './locate.ts';
import { framePrefix } from './paths.ts';
import type { Plan } from './plan.ts';
import {
  createFrame,
  type Frame,
  hasEnded,
  isFrameDone,
  isLeaf,
  type MutableRunState,
  nextAttempt,
  type StepNode,
} from './run-state.ts';
import { aimOf, IllegalTransition, type NodeStatus, nextNodeStatus } from './transitions.ts';

/** Every event of a step but those that change nothing: a limit that was met, what an agent did. */
export type StepEvent = Exclude<
  Extract<RunEvent, { readonly path: string }>,
  { readonly type: 'limit.hit' | AgentEventType }
>;

/** Applies an event of a step and gives its node. */
export function reduceStep(state: MutableRunState, plan: Plan, event: StepEvent): StepNode {
  if (state.status !== 'running' && state.status !== 'rolling_back' && state.status !== 'stopping') {
    throw new IllegalTransition(event.path, state.status, aimOf(event.type), 'the run is not going on');
  }
  const node = locate(state, plan, event.path);
  const to = nextNodeStatus(event.path, node.status, event.type);
  switch (event.type) {
    case 'step.started':
      refuseWrongAttempt(node, event.attempt, nextAttempt(node), to);
      node.attempt = event.attempt;
      node.dueAt = null;
      node.inputs = event.inputs ?? null;
      node.current = null;
      if (node.step.type === 'parallel') openFrame(state, node, { steps: node.step.steps, iteration: null });
      break;
    case 'step.interrupted':
      refuseWrongAttempt(node, event.attempt, node.attempt, to);
      break;
    case 'step.suspended':
      refuseWrongAttempt(node, event.attempt, node.attempt, to);
      node.approvals = event.approvals;
      node.dueAt = event.until;
      break;
    case 'step.released':
      // At once: whatever else it waited for, it asks again and is told to wait again.
      node.dueAt = 0;
      break;
    case 'attempt.failed':
      refuseWrongAttempt(node, event.attempt, nextAttempt(node), to);
      node.attempt = event.attempt;
      node.error = event.error;
      break;
    case 'step.completed':
      refuseWrongAttempt(node, event.attempt, nextAttempt(node), to);
      node.attempt = event.attempt;
      node.result = event.result;
      node.error = null;
      Object.assign(state.context.mutable, event.writes);
      break;
    case 'step.handled':
      node.result = event.result;
      break;
    case 'step.retrying':
      refuseWrongAttempt(node, event.attempt, node.attempt + 1, to);
      node.attempt = event.attempt;
      node.dueAt = event.dueAt;
      break;
    case 'step.failed':
    case 'step.skipped':
      node.error = event.error;
      break;
    case 'step.cancelled':
      node.dueAt = null;
      break;
    case 'branch.chosen':
      chooseBranch(state, node, event.branch);
      break;
    case 'turn.started':
      startTurn(state, node, event.iteration);
      break;
    case 'turn.completed':
      completeTurn(node, event.iteration);
      break;
  }
  if (node.order === 0) {
    state.starts += 1;
    node.order = state.starts;
  }
  setStatus(state, node, to);
  return node;
}

/** Puts a node into a state and keeps the counts of its frame and of the run right. */
export function setStatus(state: MutableRunState, node: StepNode, to: NodeStatus): void {
  if (isLeaf(node)) {
    if (node.status === 'running') state.runningLeaves -= 1;
    if (to === 'running') state.runningLeaves += 1;
  }
  const wasEnded = hasEnded(node);
  node.status = to;
  if (wasEnded || !hasEnded(node)) return;
  node.inputs = null;
  state.open.delete(node);
  if (node.relation === 'child') countEnd(node.frame, node);
}

/** Notes in a frame that one of its nodes has ended. */
export function countEnd(frame: Frame, node: StepNode): void {
  frame.ended += 1;
  if (node.status === 'failed') frame.failed ??= node;
  if (node.status === 'completed' || node.status === 'handled') frame.winner ??= node;
}

type FrameExtras = { readonly steps: readonly Step[]; readonly iteration: number | null } & Partial<
  Pick<Frame, 'untaken' | 'branch'>
>;

function openFrame(state: MutableRunState, node: StepNode, extras: FrameExtras): void {
  const turn = node.step.type === 'loop' ? extras.iteration : null;
  const prefix = framePrefix(node.path, node.attempt, turn);
  const iteration = extras.iteration ?? node.frame.iteration;
  const frame = createFrame({ ...extras, prefix, owner: node, area: node.area, iteration });
  node.current = frame;
  node.frames.push(frame);
  state.frames.set(prefix, frame);
}

function chooseBranch(state: MutableRunState, node: StepNode, branch: 'then' | 'else'): void {
  if (node.step.type !== 'conditional' || node.current !== null) {
    throw new IllegalTransition(node.path, node.status, 'running', `no branch ${branch} to choose`);
  }
  const other: keyof ConditionalStep = branch === 'then' ? 'else' : 'then';
  const steps = node.step[branch];
  openFrame(state, node, { steps, untaken: node.step[other], branch, iteration: null });
}

function startTurn(state: MutableRunState, node: StepNode, iteration: number): void {
  const isNext = iteration === turnsOf(node) && (node.current?.isClosed ?? true);
  if (node.step.type !== 'loop' || !isNext) {
    throw new IllegalTransition(node.path, node.status, 'running', `turn ${iteration} is not the next`);
  }
  openFrame(state, node, { steps: node.step.steps, iteration });
}

function completeTurn(node: StepNode, iteration: number): void {
  const turn = node.current;
  if (turn === null || turn.iteration !== iteration || turn.isClosed || !isFrameDone(turn)) {
    throw new IllegalTransition(node.path, node.status, 'running', `turn ${iteration} is not done`);
  }
  turn.isClosed = true;
}

/** How many turns the loop's attempt has begun. */
export function turnsOf(node: StepNode): number {
  return node.current === null ? 0 : (node.current.iteration ?? -1) + 1;
}

function refuseWrongAttempt(node: StepNode, given: number, expected: number, to: NodeStatus): void {
  if (given === expected) return;
  throw new IllegalTransition(node.path, node.status, to, `attempt ${given} where ${expected} is due`);
}
