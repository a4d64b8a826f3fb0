/** Takes up the steps of a frame as their turn comes. */
import type { Step } from '../definition/workflow.ts';
import { createChild } from './locate.ts';
import { type Plan, runsBeside } from './plan.ts';
import { containerOf, type Frame, hasEnded, type StepNode } from './run-state.ts';
import type { Runtime } from './runtime.ts';

/** In order: goes on past steps that ended and past those that run beside the flow. */
export function takeUpNext(run: Runtime, frame: Frame): void {
  const before = frame.cursor;
  for (let step = frame.steps[frame.cursor]; step !== undefined; step = frame.steps[frame.cursor]) {
    const known = frame.children.get(step.id);
    const node = known ?? takeUp(run, frame, step);
    if (!hasEnded(node) && !runsBeside(step)) break;
    frame.cursor += 1;
  }
  if (frame.cursor !== before) run.schedule.lookAtHeld();
}

/**
 * False for what is open though the flow has not come to it, or to what is around it: a step that began before the
 * run went on with a definition that has others before it.
 */
export function isReached(plan: Plan, node: StepNode): boolean {
  for (let at: StepNode | null = node; at !== null; at = containerOf(at)) {
    if (at.relation === 'child' && isAhead(plan, at)) return false;
  }
  return true;
}

function isAhead(plan: Plan, { frame, step }: StepNode): boolean {
  const next = frame.steps[frame.cursor];
  if (next === undefined || next === step || frame.owner?.step.type === 'parallel') return false;
  // The rollback looks at its steps by itself.
  if (frame.owner === null && frame.area === 'rollback') return false;
  const [position, reached] = [plan.placeOf(step.id)?.position, plan.placeOf(next.id)?.position];
  return position !== undefined && reached !== undefined && position > reached;
}

/** All at once: the branches of a parallel group. */
export function takeUpAll(run: Runtime, frame: Frame): void {
  for (let step = frame.steps[frame.cursor]; step !== undefined; step = frame.steps[frame.cursor]) {
    if (!frame.children.has(step.id)) takeUp(run, frame, step);
    frame.cursor += 1;
  }
}

function takeUp(run: Runtime, frame: Frame, step: Step): StepNode {
  const node = createChild(run.state, frame, step);
  run.schedule.look(node);
  run.schedule.arrived(frame.owner, step.id);
  return node;
}
