/** Takes up the steps of a frame as their turn comes. */
import { createChild } from './locate.ts';
import { runsBeside } from './plan.ts';
import { type Frame, hasEnded } from './run-state.ts';
import type { Runtime } from './runtime.ts';

/** In order: goes on past steps that ended and past those that run beside the flow. */
export function takeUpNext(run: Runtime, frame: Frame): void {
  for (let step = frame.steps[frame.cursor]; step !== undefined; step = frame.steps[frame.cursor]) {
    const known = frame.children.get(step.id);
    const node = known ?? createChild(run.state, frame, step);
    if (known === undefined) run.schedule.look(node);
    if (!hasEnded(node) && !runsBeside(step)) return;
    frame.cursor += 1;
  }
}

/** All at once: the branches of a parallel group. */
export function takeUpAll(run: Runtime, frame: Frame): void {
  for (let step = frame.steps[frame.cursor]; step !== undefined; step = frame.steps[frame.cursor]) {
    if (!frame.children.has(step.id)) run.schedule.look(createChild(run.state, frame, step));
    frame.cursor += 1;
  }
}
