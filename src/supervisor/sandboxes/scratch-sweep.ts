import { ensureError } from '../../errors/workflow-error.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { forgetKeys, sweepKeys } from '../definitions/model-keys.ts';
import { listScratches, removeScratch } from './scratch.ts';

/** Removes scratch and kept keys of an instance that has ended; a failure is logged and tried at the next start. */
export function clearScratch(context: SupervisorContext, id: string): void {
  const { log } = context;
  forgetKeys(context, id);
  try {
    removeScratch(id);
  } catch (error) {
    log.error('a scratch folder could not be removed', { instance: id, cause: ensureError(error).message });
  }
}

/** Removes what ended instances of this home left; those of other homes are not in our database. */
export async function sweepScratches(context: SupervisorContext): Promise<void> {
  for (const id of listScratches()) {
    const row = await context.store.call('instance.get', { id });
    if (row !== null && hasEnded(row.status)) clearScratch(context, id);
  }
  await sweepKeys(context);
}
