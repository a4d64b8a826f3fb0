import { WorkflowError } from '../../errors/workflow-error.ts';
import type { Store } from '../../store/store.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { createLiveInstance, type LiveInstance } from './live-instance.ts';

/** An instance as its row and journal tell it. Throws INTERNAL for an id that is not kept, or what the store throws. */
export async function readLive(store: Store, id: string): Promise<LiveInstance> {
  const row = await readRow(store, id);
  if (row.lastSeq === 0) return createLiveInstance(row, [], []);
  const [journal, approvals] = await Promise.all([
    store.call('journal.read', { id, afterSeq: 0 }),
    store.call('approval.list', { instance: id, isPendingOnly: false, limit: -1 }),
  ]);
  return createLiveInstance(row, journal, approvals);
}

/** The row of an instance. Throws INTERNAL for an id that is not kept, or what the store throws. */
export async function readRow(store: Store, id: string): Promise<InstanceRow> {
  const row = await store.call('instance.get', { id });
  if (row === null) throw new WorkflowError('INTERNAL', `the row of instance ${id} is missing`);
  return row;
}
