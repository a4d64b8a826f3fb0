import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Usage } from '../../sandbox/isolation.ts';
import { createUsageHistory } from '../../src/supervisor/usage-history.ts';

const usage = (memoryBytes: number, cpuSeconds: number): Usage => ({
  memoryBytes,
  memoryPeakBytes: memoryBytes,
  cpuSeconds,
  cpuThrottledSeconds: 0,
  processes: 3,
  processesPeak: 3,
  oomKills: 0,
  forksRefused: 0,
});

test('a look answers the CPU since the one before, of one core', () => {
  const history = createUsageHistory(250);
  assert.deepEqual(history.add(usage(10, 1), 0), { memoryBytes: 10, cpuPercent: 0, processes: 3 });
  assert.deepEqual(history.add(usage(20, 1.125), 250), { memoryBytes: 20, cpuPercent: 50, processes: 3 });
  assert.deepEqual(history.series(), { intervalMs: 250, memoryBytes: [20], cpuPercent: [50] });
});

test('there is no series before the first look', () => {
  assert.equal(createUsageHistory(250).series(), null);
});

test('a short peak stays in the series however long the run gets, and CPU adds up to what was used', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 5000 }), fc.nat(), (count, seed) => {
      const peakAt = 1 + (seed % (count - 1));
      const history = createUsageHistory(250);
      for (let index = 0; index < count; index += 1)
        history.add(usage(index === peakAt ? 1000 : 1, index * 0.1), index * 250);
      const series = history.series();
      assert.ok(series !== null);
      assert.ok(series.memoryBytes.length <= 64, `${series.memoryBytes.length} points`);
      assert.equal(Math.max(...series.memoryBytes), 1000);
      for (const percent of series.cpuPercent) assert.equal(percent, 40);
      assert.ok(series.memoryBytes.length * series.intervalMs >= (count - 1) * 250);
    }),
  );
});

test('the next process of an instance goes on with the series of the one before', () => {
  const first = createUsageHistory(250);
  for (let index = 0; index < 5; index += 1) first.add(usage(100, index * 0.25), index * 250);
  const second = createUsageHistory(250, first.series());
  second.add(usage(7, 0), 10_000);
  second.add(usage(7, 0.025), 10_250);
  assert.deepEqual(second.series(), {
    intervalMs: 250,
    memoryBytes: [100, 100, 100, 100, 7],
    cpuPercent: [100, 100, 100, 100, 10],
  });
});
