import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createDueQueue } from '../../../src/supervisor/schedules/due-queue.ts';

test('those that are due come in the order of their times, once', () => {
  const queue = createDueQueue();
  for (const [name, at] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
    ['d', 40],
  ] as const)
    queue.set(name, at);
  assert.equal(queue.soonest(), 10);
  assert.deepEqual(queue.take(30), ['a', 'b', 'c']);
  assert.deepEqual(queue.take(30), []);
  assert.equal(queue.soonest(), 40);
  queue.set('d', null);
  assert.equal(queue.soonest(), Number.POSITIVE_INFINITY);
});

test('it answers as a list would that is searched each time, whatever is set anew or taken back', () => {
  const step = fc.oneof(
    fc.record({ name: fc.integer({ min: 0, max: 30 }), at: fc.option(fc.integer({ min: 0, max: 50 })) }),
    fc.record({ now: fc.integer({ min: 0, max: 50 }) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const queue = createDueQueue();
      const times = new Map<string, number>();
      for (const each of steps) {
        if ('now' in each) {
          const due = [...times].filter(([, at]) => at <= each.now);
          const taken = queue.take(each.now);
          assert.deepEqual(
            taken.map((name) => times.get(name)),
            due.map(([, at]) => at).sort((a, b) => a - b),
          );
          assert.deepEqual(taken.toSorted(), due.map(([name]) => name).sort());
          for (const [name] of due) times.delete(name);
        } else {
          queue.set(String(each.name), each.at);
          if (each.at === null) times.delete(String(each.name));
          else times.set(String(each.name), each.at);
        }
        assert.equal(queue.soonest(), Math.min(Number.POSITIVE_INFINITY, ...times.values()));
      }
    }),
  );
});
