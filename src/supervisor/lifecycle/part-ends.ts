import { setTimeout as wait } from 'node:timers/promises';
import { type KillScope, kindOf, mayHold } from '../../guard/kill/kill-scope.ts';
import type { Latch } from '../../guard/kill/latch-files.ts';
import { readAbout } from '../../protocol/about.ts';
import { instanceFolder } from '../../protocol/home.ts';
import type { SupervisorContext } from '../context.ts';
import { isPaused, type LiveInstance } from './live-instance.ts';

/** An instance that has not ended its parts by then hangs. A command gives up on us 2 s later. */
const REACTION_MS = 3_000;
/** In good order a step has a grace of its own. */
const GENTLE_REACTION_MS = 10_000;

/** Tells a process which of its parts end now. Whoever is not connected hears of it when it is. */
export function sendTrip(
  context: Pick<SupervisorContext, 'killSwitch'>,
  live: LiveInstance,
  latch: Latch,
): void {
  live.link?.send({
    type: 'tripped',
    scope: latch.scope,
    reason: reasonOf(latch),
    epoch: context.killSwitch.epoch,
    isGentle: latch.mode === 'stop',
  });
}

/** Who tripped a switch and why, as ends of runs and steps say it. */
export function reasonOf({ scope, by, reason }: Latch): string {
  return `${scope}, by ${by}: ${reason}`;
}

/**
 * Has every instance end what the scope of an agent, tool or step covers of it. Resolves when that is over, with those
 * of which nobody can say so: they hang, are not connected, or stand still because they are paused.
 */
export async function endParts(
  context: SupervisorContext,
  lives: readonly LiveInstance[],
  latch: Latch,
): Promise<readonly LiveInstance[]> {
  const withinMs = latch.mode === 'stop' ? GENTLE_REACTION_MS : REACTION_MS;
  const asked = lives.filter((live) => runsSteps(live) && holdsParts(context, live, latch.scope));
  const waits = asked.map((live) => hasReacted(live, latch.scope, isPaused(live) ? 0 : withinMs));
  for (const live of lives) sendTrip(context, live, latch);
  const reacted = await Promise.all(waits);
  return asked.filter((_live, index) => reacted[index] === false);
}

/** One that is being started has had no permit yet, and will be refused those that are covered. */
function runsSteps(live: LiveInstance): boolean {
  return live.scope !== null && live.status !== 'initializing';
}

function holdsParts({ home }: SupervisorContext, { row }: LiveInstance, scope: KillScope): boolean {
  const { id, workflow } = row;
  const agents = kindOf(scope) === 'step' ? null : (readAbout(instanceFolder(home, id))?.agents ?? null);
  return mayHold(scope, { id, workflow, agents });
}

/** It said so, or has no process any more. Never rejects. */
async function hasReacted(live: LiveInstance, scope: KillScope, withinMs: number): Promise<boolean> {
  const over = new AbortController();
  const told = Promise.withResolvers<true>();
  const listener = (ended: KillScope): void => {
    if (ended === scope) told.resolve(true);
  };
  live.switchListeners.add(listener);
  const isGone = live.scope?.whenEmpty(over.signal).then(() => !over.signal.aborted) ?? Promise.resolve(true);
  const isLate = wait(withinMs, false, { signal: over.signal });
  // Whoever loses the race is called off below.
  for (const loser of [isGone, isLate]) loser.catch(() => false);
  try {
    return await Promise.race([told.promise, isGone, isLate]);
  } catch {
    // A scope that cannot be looked at says nothing for the instance.
    return false;
  } finally {
    over.abort();
    live.switchListeners.delete(listener);
  }
}
