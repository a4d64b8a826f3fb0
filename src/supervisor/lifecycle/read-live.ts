import { WorkflowError } from '../../errors/workflow-error.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { Store } from '../../store/store.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { createLiveInstance, type LiveInstance } from './live-instance.ts';

/** An instance as its row and journal tell it. Throws INTERNAL for an id that is not kept, or what the store throws. */
export async function readLive(store: Store, id: string): Promise<LiveInstance> {
  const row = await readRow(store, id);
  if (row.lastSeq === 0) return createLiveInstance(row, [], []);
  const [journal, approvals] = await Promise.all([
    readJournal(store, id),
    store.call('approval.list', { instance: id, isPendingOnly: false, limit: -1 }),
  ]);
  return createLiveInstance(row, journal, approvals);
}

/**
 * The same for many whose rows are known, each by itself. Whoever takes one up sees its failure; until then it is nobody's.
 */
export function readLives(store: Store, rows: readonly InstanceRow[]): Promise<LiveInstance>[] {
  const journals = store.readEach(
    'journal.read',
    rows.map(({ id }) => ({ id, afterSeq: 0 })),
  );
  const approvals = store.readEach(
    'approval.list',
    rows.map(({ id }) => ({ instance: id, isPendingOnly: false, limit: -1 })),
  );
  return rows.map((row, index) => {
    const live = Promise.all([readJournal(store, row.id, journals[index]), approvals[index] ?? []]).then(
      ([journal, decided]) => createLiveInstance(row, journal, decided),
    );
    live.catch(() => undefined);
    return live;
  });
}

/** The row of an instance. Throws INTERNAL for an id that is not kept, or what the store throws. */
export async function readRow(store: Store, id: string): Promise<InstanceRow> {
  const row = await store.call('instance.get', { id });
  if (row === null) throw new WorkflowError('INTERNAL', `the row of instance ${id} is missing`);
  return row;
}
