import { setImmediate } from 'node:timers/promises';
import type { Workflow } from '../definition/workflow.ts';
import type { DueFire } from './decide-fires.ts';
import { jitterOf } from './jitter.ts';
import { type PlannedFire, planFires } from './plan.ts';

/** What is due of a workflow, and what comes then. */
export interface DueFires {
  readonly due: readonly DueFire[];
  /** The first that is not due yet; null when none is to come. */
  readonly next: PlannedFire | null;
  /** When to look again: that one, with its jitter. */
  readonly nextDue: number | null;
}

/** So many fires are planned in one turn of the event loop. */
const TURN = 2000;

/**
 * The fires after an instant that are due at `now`. They come in the order of their instants: one whose jitter lets it
 * wait holds up those behind it.
 */
export async function dueFires(
  workflow: Pick<Workflow, 'name' | 'triggers'>,
  after: number,
  now: number,
): Promise<DueFires> {
  const due: DueFire[] = [];
  for (const fire of await planFires(workflow, after)) {
    const dueAt = fire.at + jitterOf(workflow.name, fire.at, fire.trigger.jitterMs);
    if (dueAt > now) return { due, next: fire, nextDue: dueAt };
    due.push({ at: fire.at, due: dueAt, trigger: fire.trigger });
    if (due.length % TURN === 0) await setImmediate();
  }
  return { due, next: null, nextDue: null };
}

/** From where to plan: what is older than every window can't be made up for. */
export function planFrom(workflow: Pick<Workflow, 'triggers'>, decidedTo: number, now: number): number {
  const reaches = workflow.triggers.map((trigger) =>
    trigger.type === 'schedule' ? trigger.catchUpWindowMs + trigger.jitterMs : 0,
  );
  return Math.max(decidedTo, now - Math.max(LEAST_REACH_MS, ...reaches));
}

/** On time is what comes within a minute, whatever the windows. */
const LEAST_REACH_MS = 120_000;
