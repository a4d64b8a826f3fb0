/** Takes up the steps of a frame as their turn comes. */
import type { Step } from '../definition/workflow.ts';
import { createChild } from './locate.ts';
import { runsBeside } from './plan.ts';
import { type Frame, hasEnded, type StepNode } from './run-state.ts';
import type { Runtime } from './runtime.ts';

/** In order: goes on past steps that ended and past those that run beside the flow. */
export function takeUpNext(run: Runtime, frame: Frame): void {
  for (let step = frame.steps[frame.cursor]; step !== undefined; step = frame.steps[frame.cursor]) {
    const known = frame.children.get(step.id);
    const node = known ?? takeUp(run, frame, step);
    if (!hasEnded(node) && !runsBeside(step)) return;
    frame.cursor += 1;
  }
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
