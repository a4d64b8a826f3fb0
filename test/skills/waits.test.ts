import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Clock, startTimer } from '../../src/skills/waits.ts';

/** A clock that a test moves. `late` is added to the next part, as when the process stood still. */
function fakeClock(): Clock & { run(untilMs: number): void; late: number } {
  let at = 0;
  let next: { due: number; callback: () => void } | null = null;
  return {
    late: 0,
    now: () => at,
    set: (ms, callback) => {
      const mine = { due: at + ms, callback };
      next = mine;
      return () => {
        if (next === mine) next = null;
      };
    },
    run(untilMs: number) {
      while (next !== null && next.due + this.late <= untilMs) {
        const { due, callback } = next;
        at = due + this.late;
        this.late = 0;
        next = null;
        callback();
      }
      at = Math.max(at, untilMs);
    },
  };
}

test('a timer fires after its time, once, and never before', () => {
  const clock = fakeClock();
  const fired: number[] = [];
  startTimer(3500, () => fired.push(clock.now()), clock);
  clock.run(3499);
  assert.deepEqual(fired, []);
  clock.run(60_000);
  assert.deepEqual(fired, [3500]);
});

test('time in which the process stood still does not count, to a second', () => {
  const clock = fakeClock();
  const fired: number[] = [];
  startTimer(3500, () => fired.push(clock.now()), clock);
  clock.run(1200);
  clock.late = 600_000;
  clock.run(2_000_000);
  assert.deepEqual(fired, [603_500]);
});

test('a process that is only slow loses no time: what a part took too long counts', () => {
  const clock = fakeClock();
  const fired: number[] = [];
  startTimer(3500, () => fired.push(clock.now()), clock);
  clock.late = 1500;
  clock.run(60_000);
  assert.deepEqual(fired, [3500]);
});

test('a timer that is called off, and one without a time, never fire', () => {
  const clock = fakeClock();
  startTimer(100, () => assert.fail('it fired'), clock)();
  startTimer(null, () => assert.fail('it fired'), clock)();
  clock.run(60_000);
});
