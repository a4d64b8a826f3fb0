import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLedger } from '../../src/supervisor/capacity.ts';

const MB = 1024 * 1024;
const demand = (id: string, megabytes: number): { id: string; memoryBytes: number } => ({
  id,
  memoryBytes: megabytes * MB,
});
const ids = (demands: readonly { id: string }[]): string[] => demands.map(({ id }) => id);

test('what can never fit is refused with both numbers, what fits exactly is not', () => {
  const ledger = createLedger({ memoryBytes: 100 * MB, concurrentStarts: 8 });
  assert.equal(ledger.refuses(demand('a', 100)), null);
  assert.equal(
    ledger.refuses(demand('a', 101)),
    'it asks for 101 MB of memory and this machine gives 100 MB to workflows',
  );
});

test('a large one at the head of the queue is not overtaken by a small one', () => {
  const ledger = createLedger({ memoryBytes: 100 * MB, concurrentStarts: 8 });
  for (const [id, size] of [
    ['a', 60],
    ['b', 60],
    ['c', 10],
  ] as const)
    ledger.enqueue(demand(id, size));
  assert.deepEqual(ids(ledger.admit()), ['a']);
  assert.deepEqual(ledger.admit(), []);
  assert.deepEqual(ledger.queue(), [
    { id: 'b', waits_for: '60 MB of memory (40 MB of 100 MB free)' },
    { id: 'c', waits_for: '1 before it in the queue' },
  ]);
  ledger.release('a');
  assert.deepEqual(ids(ledger.admit()), ['b', 'c']);
});

test('only so many are in their start-up at once', () => {
  const ledger = createLedger({ memoryBytes: 100 * MB, concurrentStarts: 2 });
  for (const id of ['a', 'b', 'c']) ledger.enqueue(demand(id, 1));
  assert.deepEqual(ids(ledger.admit()), ['a', 'b']);
  assert.equal(ledger.queue()[0]?.waits_for, 'a start (2 are starting)');
  ledger.started('a');
  assert.deepEqual(ids(ledger.admit()), ['c']);
});

test('an adopted one is held whatever is free, and leaves the queue', () => {
  const ledger = createLedger({ memoryBytes: 100 * MB, concurrentStarts: 2 });
  ledger.enqueue(demand('a', 50));
  ledger.hold(demand('a', 500));
  assert.deepEqual(ledger.queue(), []);
  ledger.enqueue(demand('b', 1));
  assert.deepEqual(ledger.admit(), []);
  assert.match(ledger.queue()[0]?.waits_for ?? '', /^1 MB of memory \(0 MB of 100 MB free\)$/);
});

test('whatever happens: never more than fits, first come first served, never idle with a head that fits', () => {
  const CAPACITY = { memoryBytes: 100, concurrentStarts: 3 };
  const action = fc.oneof(
    fc.record({ kind: fc.constant('enqueue' as const), size: fc.integer({ min: 1, max: 100 }) }),
    fc.record({ kind: fc.constantFrom('started' as const, 'release' as const), pick: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
      const ledger = createLedger(CAPACITY);
      const held = new Map<string, number>();
      const starting = new Set<string>();
      const waiting: { id: string; size: number }[] = [];
      actions.forEach((step, index) => {
        const running = [...held.keys()];
        const picked = step.kind === 'enqueue' ? undefined : running[step.pick % running.length];
        if (step.kind === 'enqueue') {
          waiting.push({ id: String(index), size: step.size });
          ledger.enqueue({ id: String(index), memoryBytes: step.size });
        } else if (picked !== undefined) {
          starting.delete(picked);
          if (step.kind === 'release') held.delete(picked);
          ledger[step.kind](picked);
        }
        for (const { id, memoryBytes } of ledger.admit()) {
          assert.equal(id, waiting.shift()?.id);
          held.set(id, memoryBytes);
          starting.add(id);
        }
        const used = [...held.values()].reduce((sum, size) => sum + size, 0);
        assert.ok(used <= CAPACITY.memoryBytes && starting.size <= CAPACITY.concurrentStarts);
        const head = waiting[0];
        const fits = head !== undefined && used + head.size <= CAPACITY.memoryBytes;
        assert.ok(!fits || starting.size === CAPACITY.concurrentStarts, 'idle with a head that fits');
        assert.deepEqual(ids(ledger.queue()), ids(waiting));
      });
    }),
  );
});
