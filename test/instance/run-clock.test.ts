import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRunClock } from '../../src/instance/run-clock.ts';

const HOUR_MS = 3_600_000;

/** A clock of a run, and the two clocks of a machine that a test sets. */
function desk(startsAt = 0) {
  const machine = { wall: 10 * HOUR_MS, monotonic: 5 };
  return {
    machine,
    clock: createRunClock(
      startsAt,
      () => machine.wall,
      () => machine.monotonic,
    ),
  };
}

test('it goes with the wall clock, also over a sleep of the machine', () => {
  const { machine, clock } = desk();
  assert.equal(clock.now(), 10 * HOUR_MS);
  machine.wall += 1000;
  machine.monotonic += 1000;
  assert.equal(clock.now(), 10 * HOUR_MS + 1000);
  machine.wall += HOUR_MS;
  assert.equal(clock.now(), 11 * HOUR_MS + 1000);
});

test('a wall clock that is set back does not take it along, until it may follow', () => {
  const { machine, clock } = desk();
  clock.now();
  machine.wall += 300 - HOUR_MS;
  machine.monotonic += 300;
  assert.equal(clock.now(), 10 * HOUR_MS + 300);
  clock.follow();
  assert.equal(clock.now(), 9 * HOUR_MS + 300);
});

test('it begins where the run was, when the wall clock is behind that', () => {
  const { machine, clock } = desk(11 * HOUR_MS);
  machine.wall += 10;
  machine.monotonic += 10;
  assert.equal(clock.now(), 11 * HOUR_MS + 10);
});
