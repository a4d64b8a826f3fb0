/** How parallel, conditional and loop go on from where they are. */
import type {
  CompositeStep,
  ConditionalStep,
  Json,
  JsonObject,
  LoopStep,
  ParallelStep,
} from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import { cancelWithin } from './cancel.ts';
import { attempt, failure } from './failure.ts';
import { completeNode, failAttempt, failFromChild } from './finish.ts';
import { turnsOf } from './reduce-step.ts';
import { bindingsFor, blockerOf } from './resolve.ts';
import { type Frame, isFrameDone, type StepNode } from './run-state.ts';
import { emit, type Runtime } from './runtime.ts';
import { takeUpAll, takeUpNext } from './sequence.ts';

export function drive(run: Runtime, node: StepNode, step: CompositeStep): void {
  switch (step.type) {
    case 'parallel':
      driveParallel(run, node, step);
      return;
    case 'conditional':
      driveConditional(run, node, step);
      return;
    case 'loop':
      driveLoop(run, node, step);
      return;
  }
}

function driveParallel(run: Runtime, node: StepNode, step: ParallelStep): void {
  const frame = node.current;
  if (frame === null) return;
  if (step.waitFor === 'any' && frame.winner !== null) {
    cancelWithin(run, node, 'branch_lost');
    completeNode(run, node, branchResults(frame, frame.winner));
    return;
  }
  if (step.waitFor !== 'any' && frame.failed !== null) {
    failFromChild(run, node, frame.failed);
    return;
  }
  takeUpAll(run, frame);
  if (!isFrameDone(frame)) return;
  if (step.waitFor === 'any') failAttempt(run, node, noBranchWon(node, frame));
  else completeNode(run, node, branchResults(frame, null));
}

/** Results by branch; with a winner only its own is not null. */
function branchResults(frame: Frame, winner: StepNode | null): JsonObject {
  return Object.fromEntries(
    frame.steps.map((step) => {
      const branch = frame.children.get(step.id);
      const counts = winner === null || winner === branch;
      return [step.id, counts ? (branch?.result ?? null) : null];
    }),
  );
}

function noBranchWon(node: StepNode, frame: Frame): ErrorRecord {
  const branches = Object.fromEntries(
    [...frame.children].map(([id, branch]) => [id, branch.error ?? { status: branch.status }]),
  );
  const list = [...frame.children].map(([id, branch]) => `${id}: ${branch.error?.code ?? branch.status}`);
  const message = `None of ${frame.children.size} branches succeeded (${list.join(', ')}).`;
  return failure('BRANCH_FAILED', message, node.path, { branches });
}

function driveConditional(run: Runtime, node: StepNode, step: ConditionalStep): void {
  if (node.current === null) {
    const isTrue = testCondition(run, node, step.condition, node.frame.iteration);
    if (isTrue === null) return;
    emit(run, { type: 'branch.chosen', path: node.path, branch: isTrue ? 'then' : 'else' });
  }
  const frame = node.current;
  if (frame === null) return;
  for (const untaken of frame.untaken) {
    if (frame.children.has(untaken.id)) continue;
    const path = `${frame.prefix}${untaken.id}`;
    emit(run, { type: 'step.skipped', path, stepType: untaken.type, reason: 'branch', error: null });
  }
  if (!driveFrame(run, node, frame)) return;
  const last = frame.steps.at(-1);
  const result = last === undefined ? null : (frame.children.get(last.id)?.result ?? null);
  completeNode(run, node, { branch: frame.steps.length === 0 ? null : frame.branch, last: result });
}

/** One call goes through at most one turn: the events that it makes bring it back here. */
function driveLoop(run: Runtime, node: StepNode, step: LoopStep): void {
  const turn = node.current;
  if (turn !== null && !turn.isClosed) {
    if (!driveFrame(run, node, turn)) return;
    emit(run, { type: 'turn.completed', path: node.path, iteration: turnsOf(node) - 1 });
    return;
  }
  const iteration = turnsOf(node);
  const isTrue = testCondition(run, node, step.condition, iteration);
  if (isTrue === null) return;
  if (isTrue && iteration < step.maxIterations) {
    emit(run, { type: 'turn.started', path: node.path, iteration });
  } else if (isTrue && step.onLimit === 'fail') {
    const message = `The condition ${step.condition} was still true after ${iteration} turns (max_iterations).`;
    failAttempt(run, node, failure('LOOP_LIMIT', message, node.path, { max_iterations: step.maxIterations }));
  } else completeNode(run, node, { iterations: iteration, last: lastTurn(turn) });
}

function lastTurn(turn: Frame | null): Json {
  return turn === null ? {} : branchResults(turn, null);
}

/** Takes a sequence on; true when all of it has ended well. A failed step fails the composite. */
function driveFrame(run: Runtime, node: StepNode, frame: Frame): boolean {
  if (frame.failed !== null) {
    failFromChild(run, node, frame.failed);
    return false;
  }
  takeUpNext(run, frame);
  return isFrameDone(frame);
}

/** Null when the condition waits for a step that it names, or could not be evaluated (then the node fails). */
function testCondition(
  run: Runtime,
  node: StepNode,
  condition: string,
  iteration: number | null,
): boolean | null {
  const blocker = blockerOf(run.state, run.plan, node);
  if (blocker !== null) {
    run.schedule.waitFor(blocker.node, blocker.child, node);
    return null;
  }
  const bindings = { ...bindingsFor(run.state, run.plan, node), iteration };
  const tested = attempt(node.path, () => run.plan.expression(condition).test(bindings));
  if (tested.isOk) return tested.value;
  failAttempt(run, node, tested.error);
  return null;
}
