import { setTimeout as delay } from 'node:timers/promises';
import { ensureError } from '../../errors/workflow-error.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { forgetKeys, sweepKeys } from '../definitions/model-keys.ts';
import { listScratches, removeAside, removeScratch } from './scratch.ts';

/** A run does not end later than this for what is left of its scratch. */
const WAIT_MS = 1000;

/**
 * Removes scratch and kept keys of an instance that has ended; a failure is logged and tried at the next start. Resolves
 * when it is done, or after a second, when there is much of it. Never rejects.
 */
export async function clearScratch(context: SupervisorContext, id: string): Promise<void> {
  forgetKeys(context, id);
  await Promise.race([told(context, id, removeScratch(id)), delay(WAIT_MS, undefined, { ref: false })]);
}

/** Removes what ended instances of this home left; those of other homes are not in our database. */
export async function sweepScratches(context: SupervisorContext): Promise<void> {
  const scratches = listScratches();
  const rows = await Promise.all(
    context.store.readEach(
      'instance.get',
      scratches.map(({ id }) => ({ id })),
    ),
  );
  for (const [index, row] of rows.entries()) {
    const aside = scratches[index]?.aside ?? null;
    if (row === null) continue;
    // Nobody waits for what is aside.
    if (aside !== null) void told(context, row.id, removeAside(aside));
    else if (hasEnded(row.status)) await clearScratch(context, row.id);
  }
  await sweepKeys(context);
}

async function told({ log }: SupervisorContext, id: string, removal: Promise<void>): Promise<void> {
  try {
    await removal;
  } catch (error) {
    log.error('a scratch folder could not be removed', { instance: id, cause: ensureError(error).message });
  }
}
