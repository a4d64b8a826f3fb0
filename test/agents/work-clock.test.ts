import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkClock } from '../../src/agents/work-clock.ts';

/** A clock that is moved by hand; timers fire when it passes them. */
function handClock() {
  let now = 0;
  const timers = new Map<object, { at: number; callback: () => void }>();
  return {
    now: () => now,
    set: (ms: number, callback: () => void) => {
      const key = {};
      timers.set(key, { at: now + ms, callback });
      return () => void timers.delete(key);
    },
    move: (ms: number) => {
      now += ms;
      for (const [key, { at, callback }] of [...timers])
        if (at <= now) {
          timers.delete(key);
          callback();
        }
    },
  };
}

test('time counts while something is under way, once, and not between', async () => {
  const hand = handClock();
  const clock = new WorkClock(1000, hand);
  const work = async (ms: number): Promise<void> => clock.during(async () => hand.move(ms));
  await work(400);
  // A person thinks about it.
  hand.move(100_000);
  await Promise.all([work(300), work(200)]);
  assert.equal(clock.expired.aborted, false);
  await work(99);
  assert.equal(clock.expired.aborted, false);
  await work(1);
  assert.equal(clock.expired.aborted, true);
});

test('time in which the process stood still does not count', async () => {
  const hand = handClock();
  const clock = new WorkClock(5000, hand);
  await clock.during(async () => {
    hand.move(400);
    hand.move(600_000);
  });
  // Of the part in which it stood still a second counts at most.
  assert.ok(clock.spentMs <= 1400, `${clock.spentMs}`);
  await clock.during(async () => hand.move(900));
  assert.equal(clock.expired.aborted, false);
});

test('what was worked is told, with a limit and without one', async () => {
  for (const limit of [5000, null]) {
    const hand = handClock();
    const clock = new WorkClock(limit, hand);
    await clock.during(async () => hand.move(300));
    hand.move(50);
    await clock.during(async () => {
      hand.move(200);
      assert.equal(clock.spentMs, 500);
    });
  }
});

test('a clock without a limit never runs out, one with nothing left has at once', () => {
  assert.equal(new WorkClock(null).expired.aborted, false);
  assert.equal(new WorkClock(0).expired.aborted, true);
});

test('time that is held within the work does not count, however many hold it', async () => {
  const hand = handClock();
  const clock = new WorkClock(1000, hand);
  await clock.during(async () => {
    hand.move(500);
    await Promise.all([
      clock.except(async () => hand.move(50_000)),
      clock.except(async () => hand.move(50_000)),
    ]);
    assert.equal(clock.expired.aborted, false);
    hand.move(499);
    assert.equal(clock.expired.aborted, false);
    hand.move(1);
  });
  assert.equal(clock.expired.aborted, true);
});
