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
  const rows = context.store.readEach(
    'instance.get',
    listScratches().map((id) => ({ id })),
  );
  for (const row of await Promise.all(rows))
    if (row !== null && hasEnded(row.status)) clearScratch(context, row.id);
  await sweepKeys(context);
}
