/** Looks at one node and does what its state calls for. Looking twice does no harm. */
import { assertNever } from './assert-never.ts';
import { drive as driveComposite } from './drive-composite.ts';
import { carryOutStrategy } from './drive-failure.ts';
import { failure } from './failure.ts';
import { isComposite } from './plan.ts';
import { blockerOf } from './resolve.ts';
import { hasEnded, isLeaf, nextAttempt, type StepNode } from './run-state.ts';
import { emit, type Runtime } from './runtime.ts';
import { isReached } from './sequence.ts';

export function look(run: Runtime, node: StepNode): void {
  if (!hasEnded(node) && !isReached(run.plan, node)) {
    run.schedule.hold(node);
    return;
  }
  switch (node.status) {
    case 'pending':
      arrive(run, node);
      return;
    case 'interrupted':
      settleInterrupted(run, node);
      if (node.status === 'interrupted') arrive(run, node);
      return;
    case 'suspended':
    case 'retrying': {
      const dueAt = node.dueAt ?? 0;
      if (dueAt > run.surroundings.now) run.schedule.setTimer(node, dueAt);
      else arrive(run, node);
      return;
    }
    case 'running':
      if (isComposite(node.step)) driveComposite(run, node, node.step);
      return;
    case 'failing':
      carryOutStrategy(run, node);
      return;
    case 'completed':
    case 'handled':
    case 'skipped':
    case 'failed':
    case 'cancelled':
      return;
    default:
      assertNever(node.status);
  }
}

/** What `on_resume` says to an attempt that died with its process; rerun leaves it as it is. */
export function settleInterrupted(run: Runtime, node: StepNode): void {
  if (node.step.type !== 'skill' && node.step.type !== 'agent') return;
  const { onResume } = node.step;
  if (onResume === 'rerun') return;
  const message = `Attempt ${node.attempt} was in flight when its instance ended.`;
  const error = failure('INTERRUPTED', message, node.path);
  if (onResume === 'skip') emit(run, { type: 'step.skipped', path: node.path, reason: 'on_resume', error });
  else emit(run, { type: 'attempt.failed', path: node.path, attempt: node.attempt, error });
}

/** A node whose turn has come: it waits for steps that it names, then for a slot. Composites take none. */
function arrive(run: Runtime, node: StepNode): void {
  const blocker = blockerOf(run.state, run.plan, node);
  if (blocker !== null) {
    run.schedule.waitFor(blocker.node, blocker.child, node);
    return;
  }
  if (isLeaf(node)) {
    run.schedule.makeReady(node);
    return;
  }
  const attempt = nextAttempt(node);
  emit(run, { type: 'step.started', path: node.path, stepType: node.step.type, attempt });
}
