import { setTimeout as delay } from 'node:timers/promises';
import { SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { Diagnostics } from '../diagnostics.ts';
import type { Fleet } from './fleet.ts';
import type { LiveInstance } from './live-instance.ts';

const DEADLINE_MS = 30_000;
/** How long to wait before a stop is asked for again that could not be recorded (disk full). */
const RETRY_MS = 1000;

/** Stops every instance, running, waiting or queued, in good order and waits for their ends, with a bound. */
export async function stopAll(fleet: Fleet, log: Diagnostics): Promise<void> {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const isOver = new Promise<void>((resolve) => deadline.addEventListener('abort', () => resolve()));
  const ends = fleet.all().map((live) => {
    const end = new Promise<void>((resolve) => {
      live.watchers.add((notification) => notification.method === 'instance.ended' && resolve());
    });
    return Promise.all([end, stop(fleet, live, log, deadline)]);
  });
  await Promise.race([Promise.all(ends), isOver]);
}

/** Never rejects. */
async function stop(
  fleet: Fleet,
  live: LiveInstance,
  log: Diagnostics,
  deadline: AbortSignal,
): Promise<void> {
  while (!deadline.aborted && fleet.find(live.row.id) === live)
    try {
      await fleet.stop(live, SUPERVISOR);
      return;
    } catch (error) {
      log.error(`an instance could not be stopped, trying again in ${RETRY_MS / 1000} s`, {
        instance: live.row.id,
        cause: ensureError(error).message,
      });
      await delay(RETRY_MS);
    }
}
