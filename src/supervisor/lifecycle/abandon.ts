import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';
import type { Loss } from '../home-watch.ts';
import { clearScratch } from '../sandboxes/scratch-sweep.ts';
import type { Fleet } from './fleet.ts';
import { type LiveInstance, noteEnd } from './live-instance.ts';

const KILL_MS = 10_000;

/**
 * Ends the processes of all instances, and writes nothing down: without their state nobody could go on with them or
 * stop them. Where the folder comes back they are resumed from its journals. Never rejects.
 */
export async function abandon(context: SupervisorContext, fleet: Fleet, { isDeleted }: Loss): Promise<void> {
  const lives = fleet.all();
  // One that is just being started is not.
  for (const live of lives) noteEnd(live, { kind: 'killed', by: 'supervisor' });
  fleet.close();
  await Promise.all(lives.map((live) => end(context, live)));
  if (isDeleted) await Promise.all(lives.map(({ row }) => clearScratch(context, row.id)));
}

async function end({ log }: SupervisorContext, live: LiveInstance): Promise<void> {
  try {
    await live.scope?.kill({ graceMs: 0, timeoutMs: KILL_MS });
    await live.scope?.remove();
  } catch (error) {
    log.error('an instance could not be ended', { instance: live.row.id, cause: ensureError(error).message });
  }
}
