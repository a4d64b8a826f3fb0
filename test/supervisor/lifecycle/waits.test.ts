import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLiveInstance, type LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { createWaits, type Waits } from '../../../src/supervisor/lifecycle/waits.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

const HOUR_MS = 3_600_000;

/** A run that waits for an hour, and a clock that a test sets. */
function waiting(): { live: LiveInstance; waits: Waits; wentOn: string[]; setClock: (at: number) => void } {
  let clock = 1;
  const wentOn: string[] = [];
  const { context } = fakeContext({});
  const live = createLiveInstance({ ...runningRow('i'), status: 'waiting', wakeAt: HOUR_MS }, [], []);
  const waits = createWaits(
    { ...context, now: () => clock },
    () => assert.fail('it is not paused'),
    ({ row }) => wentOn.push(row.id),
  );
  waits.begin(live);
  return {
    live,
    waits,
    wentOn,
    setClock: (at) => {
      clock = at;
    },
  };
}

test('a wait over which the clock was set forward, or the machine slept, is over', () => {
  const { live, waits, wentOn, setClock } = waiting();
  assert.deepEqual([live.status, wentOn], ['waiting', []]);
  const timer = live.lifetime.signal;
  setClock(HOUR_MS + 1);
  waits.clockJumped(live);
  assert.deepEqual(wentOn, ['i']);
  assert.equal(timer.aborted, true, 'its first timer is called off');
});

test('one that is not over waits on', () => {
  const { live, waits, wentOn, setClock } = waiting();
  setClock(HOUR_MS - 1);
  waits.clockJumped(live);
  assert.deepEqual([live.status, wentOn], ['waiting', []]);
  live.lifetime.abort();
});

test('one that goes on already is left alone', () => {
  const { live, waits, wentOn, setClock } = waiting();
  live.status = 'queued';
  setClock(HOUR_MS + 1);
  waits.clockJumped(live);
  assert.deepEqual(wentOn, []);
  live.lifetime.abort();
});
