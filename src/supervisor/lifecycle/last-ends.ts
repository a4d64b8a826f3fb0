import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import { hasProcess } from './ends.ts';
import type { Fleet } from './fleet.ts';

/** A process leaves some milliseconds after its run; one that does not is the next supervisor's. */
const LONGEST_MS = 1000;

/**
 * Waits for the processes of runs that have ended: without us nobody would remove their cgroups and scratch folders before the
 * next supervisor starts, which may be never.
 */
export async function awaitLastEnds(fleet: Pick<Fleet, 'all'>): Promise<void> {
  const ending = fleet.all().filter((live) => hasEnded(live.projection.status) && hasProcess(live));
  if (ending.length === 0) return;
  const ends = ending.map(
    (live) =>
      new Promise<void>((resolve) => {
        live.watchers.add(({ method }) => method === 'instance.ended' && resolve());
      }),
  );
  await Promise.race([Promise.all(ends), delay(LONGEST_MS, undefined, { ref: false })]);
}
