import assert from 'node:assert/strict';
import { test } from 'node:test';
import { watchClock } from '../../../src/supervisor/schedules/clock-watch.ts';

test('a jump is told once, with its length and direction; drift is none', () => {
  let wall = 5_000_000;
  let monotonic = 0;
  const watch = watchClock(
    () => wall,
    () => monotonic,
  );
  const pass = (wallMs: number, monotonicMs: number): number | null => {
    wall += wallMs;
    monotonic += monotonicMs;
    return watch.look();
  };
  assert.equal(pass(30_000, 30_000), null);
  assert.equal(pass(30_900, 30_000), null, 'steered');
  assert.equal(pass(3_600_000, 0), 3_600_000, 'asleep');
  assert.equal(pass(30_000, 30_000), null);
  assert.equal(pass(-7_200_000, 1), -7_200_001);
  assert.equal(pass(0, 0), null);
});
