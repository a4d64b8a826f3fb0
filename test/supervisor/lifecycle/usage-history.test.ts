import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { IoBytes, Usage } from '../../../sandbox/isolation.ts';
import { createUsageHistory } from '../../../src/supervisor/lifecycle/usage-history.ts';

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
  assert.deepEqual(history.add(usage(10, 1), 0), { memoryBytes: 10, cpuPercent: 0, processes: 3, io: null });
  const second = { memoryBytes: 20, cpuPercent: 50, processes: 3, io: null };
  assert.deepEqual(history.add(usage(20, 1.125), 250), second);
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

test('IO that is read once a second is spread over the points of that second', () => {
  const history = createUsageHistory(250);
  const look = (index: number, io?: IoBytes) =>
    history.add(usage(1, index * 0.1), index * 250, io === undefined ? null : () => io);
  look(0);
  // What was moved before it was first read has no time.
  assert.deepEqual(look(1, { readBytes: 500, writtenBytes: 90 }).io, {
    readBytes: 500,
    writtenBytes: 90,
    readPerSecond: 0,
    writtenPerSecond: 0,
  });
  for (const index of [2, 3, 4]) look(index);
  const { io } = look(5, { readBytes: 4500, writtenBytes: 1090 });
  assert.deepEqual(io, { readBytes: 4500, writtenBytes: 1090, readPerSecond: 4000, writtenPerSecond: 1000 });
  assert.deepEqual(history.series()?.ioReadPerSecond, [0, 4000, 4000, 4000, 4000]);
  assert.deepEqual(history.series()?.ioWrittenPerSecond, [0, 1000, 1000, 1000, 1000]);
});

test('IO is not read while no CPU time was used, and where nobody can tell there is no series of it', () => {
  const history = createUsageHistory(250);
  let reads = 0;
  const readIo = (): IoBytes => {
    reads += 1;
    return { readBytes: reads * 1000, writtenBytes: 0 };
  };
  assert.equal(history.add(usage(1, 1), 0, readIo).io, null);
  assert.equal(history.add(usage(1, 1), 250, readIo).io, null);
  assert.equal(history.series()?.ioReadPerSecond, undefined);
  assert.equal(history.add(usage(1, 1.1), 500, readIo).io?.readBytes, 1000);
  assert.equal(history.add(usage(1, 1.1), 750, readIo).io?.readBytes, 1000);
  assert.equal(reads, 1);
  assert.equal(history.add(usage(1, 1.2), 1000, readIo).io?.readPerSecond, 4000);
  // It rests again: nothing is moved now.
  assert.equal(history.add(usage(1, 1.2), 1250, readIo).io?.readPerSecond, 0);
  assert.equal(reads, 2);
  const blind = createUsageHistory(250);
  blind.add(usage(1, 1), 0, () => null);
  assert.equal(blind.add(usage(1, 2), 250, () => null).io, null);
  assert.deepEqual(blind.series(), { intervalMs: 250, memoryBytes: [1], cpuPercent: [400] });
});

test('IO adds up to what was moved however often points are joined, and goes on in the next process', () => {
  fc.assert(
    fc.property(fc.integer({ min: 8, max: 3000 }), (count) => {
      const history = createUsageHistory(250);
      for (let index = 0; index < count; index += 1)
        history.add(
          usage(1, index * 0.1),
          index * 250,
          index % 4 === 1 ? () => ({ readBytes: index * 1000, writtenBytes: index * 10 }) : null,
        );
      const series = history.series();
      assert.ok(series?.ioReadPerSecond !== undefined && series.ioWrittenPerSecond !== undefined);
      assert.equal(series.ioReadPerSecond.length, series.memoryBytes.length);
      const sum = series.ioReadPerSecond.reduce(
        (total, value) => total + (value * series.intervalMs) / 1000,
        0,
      );
      const last = count - 1 - ((count - 2) % 4);
      // From the first time that it was read, at the second look.
      const moved = (last - 1) * 1000;
      // The last point may not have its whole time yet.
      assert.ok(
        sum >= moved * 0.98 && sum <= moved + 4000 * (series.intervalMs / 1000) + 600,
        `${sum} of ${moved}`,
      );
      const next = createUsageHistory(250, series);
      assert.deepEqual(next.series(), series);
    }),
  );
});
