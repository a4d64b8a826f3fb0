import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify } from '../../../sandbox/process-identity.ts';
import { createDeadlines, type Deadlines } from '../../../src/supervisor/lifecycle/deadlines.ts';
import {
  activeMsOf,
  createLiveInstance,
  type EndRequest,
  type LiveInstance,
} from '../../../src/supervisor/lifecycle/live-instance.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

const HOUR_MS = 3_600_000;

/** A run with a limit of an hour, and the deadlines of its process by a wall clock that says `wall`. */
function limited(wall: number): { live: LiveInstance; deadlines: Deadlines; ended: EndRequest[] } {
  const ended: EndRequest[] = [];
  const { context } = fakeContext({});
  const live = createLiveInstance({ ...runningRow('i'), activeSince: 1 }, [], []);
  const deadlines = createDeadlines({ ...context, now: () => wall }, (_live, request) => ended.push(request));
  return { live, deadlines, ended };
}

test('the time limit of a run counts what its process was active before, and then the time that passes', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { live, deadlines, ended } = limited(1 + HOUR_MS / 2);
  deadlines.time(live);
  t.mock.timers.tick(HOUR_MS / 2 + 4_999);
  assert.deepEqual(ended, []);
  t.mock.timers.tick(1);
  assert.deepEqual(ended, [{ kind: 'time_limit', by: 'supervisor' }]);
});

test('a clock that was set forward while nobody was there ends no run that began just now', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { live, deadlines, ended } = limited(1 + 2 * HOUR_MS);
  const identity = identify(process.pid);
  if (identity === null || identity.startTime === '') return t.skip('there is no /proc');
  live.process = identity;
  deadlines.time(live);
  t.mock.timers.tick(HOUR_MS / 2);
  assert.deepEqual(ended, []);
  const active = activeMsOf(live) ?? Number.NaN;
  assert.ok(active >= 0 && active < HOUR_MS / 2, `it was active for ${active} ms`);
  live.lifetime.abort();
});

test('a clock that was set back while nobody was there gives a run no more than its time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { live, deadlines, ended } = limited(1 - HOUR_MS);
  deadlines.time(live);
  t.mock.timers.tick(HOUR_MS + 5_000);
  assert.deepEqual(ended, [{ kind: 'time_limit', by: 'supervisor' }]);
});

test('the active time of a run goes by the monotonic clock', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let monotonic = 500;
  t.mock.method(performance, 'now', () => monotonic);
  const { live, deadlines } = limited(1001);
  assert.equal(activeMsOf(live), null);
  deadlines.time(live);
  monotonic = 3500;
  assert.equal(activeMsOf(live), 4000);
  live.lifetime.abort();
});

test('a process that was not heard because the supervisor stood still has a moment more to be heard', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let monotonic = 0;
  t.mock.method(performance, 'now', () => monotonic);
  const { live, deadlines, ended } = limited(1);
  deadlines.report(live, 30_000);
  monotonic = 90_000;
  t.mock.timers.tick(30_000);
  assert.deepEqual(ended, []);
  monotonic = 92_000;
  t.mock.timers.tick(2_000);
  assert.deepEqual(ended, [{ kind: 'start_failed', by: 'it did not report in time' }]);
});

test('a process that does not report in time is ended', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let monotonic = 0;
  t.mock.method(performance, 'now', () => monotonic);
  const { live, deadlines, ended } = limited(1);
  deadlines.report(live, 30_000);
  monotonic = 30_100;
  t.mock.timers.tick(30_000);
  assert.deepEqual(ended, [{ kind: 'start_failed', by: 'it did not report in time' }]);
});
