import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InstanceRow } from '../../../src/store/tables/instance-rows.ts';
import { createFleet } from '../../../src/supervisor/lifecycle/fleet.ts';
import { readLive } from '../../../src/supervisor/lifecycle/read-live.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

test('after a restart nothing starts from the queue before all that runs is known, then the more urgent first', async () => {
  const limits = { ...runningRow('x').limits, memoryBytes: 40 };
  const queued = { ...runningRow('x'), limits, status: 'queued', incarnation: 0, scope: null } as const;
  // By the times at which they were made: an older one may wait while a younger one runs.
  const rows: InstanceRow[] = [
    { ...queued, id: 'usual' },
    { ...queued, id: 'urgent', limits: { ...limits, priority: 5 } },
    { ...runningRow('runs'), limits },
  ];
  const { context } = fakeContext({ 'instance.get': ({ id }) => rows.find((row) => row.id === id) ?? null });
  const fleet = createFleet(context, { memoryBytes: 100, cpuPercent: 100, concurrentStarts: 4 });
  const queue = (): string[] => fleet.ledger.queue().map(({ id }) => id);
  for (const { id } of rows) await fleet.recover(await readLive(context.store, id));
  assert.deepEqual(queue(), ['urgent', 'usual']);
  assert.equal(fleet.ledger.promised.memoryBytes, 40);
  fleet.expectAdopted();
  assert.deepEqual(queue(), ['usual']);
  assert.equal(fleet.ledger.promised.memoryBytes, 80);
  fleet.close();
});
