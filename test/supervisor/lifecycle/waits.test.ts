import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApprovalRow } from '../../../src/store/tables/approval-rows.ts';
import { createLiveInstance, type LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { createWaits, type Waits } from '../../../src/supervisor/lifecycle/waits.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

const HOUR_MS = 3_600_000;
const PENDING: ApprovalRow = {
  instance: 'i',
  number: 1,
  subject: 'approval a 1',
  argsHash: '00',
  request: {
    kind: 'approval',
    path: 'a',
    attempt: 1,
    call: null,
    what: 'a',
    agent: null,
    args: {},
    rules: [],
    reason: '',
    by: [],
  },
  requestedAt: 1,
  expiresAt: 60_001,
  status: 'pending',
  decidedAt: null,
  decidedBy: null,
  reason: null,
  answeredAt: null,
  voidAt: null,
};

/** A run that waits for an hour, or this long, and a clock that a test sets. */
function waiting(
  wakeAt = HOUR_MS,
  left: number | null = null,
): {
  live: LiveInstance;
  waits: Waits;
  wentOn: string[];
  /** What was kept for the next supervisor. */
  marked: unknown[];
  setClock: (at: number) => void;
} {
  let clock = 1;
  const wentOn: string[] = [];
  const marked: unknown[] = [];
  const { context } = fakeContext({});
  const live = createLiveInstance({ ...runningRow('i'), status: 'waiting', wakeAt }, [], []);
  const waits = createWaits(
    { ...context, now: () => clock },
    () => assert.fail('it is not paused'),
    ({ row }) => wentOn.push(row.id),
    undefined,
    { left: () => left, set: (...mark) => void marked.push(mark) },
  );
  waits.begin(live);
  return {
    live,
    waits,
    wentOn,
    marked,
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

test('one over which the clock was set back goes on when it has waited its time', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let monotonic = 0;
  t.mock.method(performance, 'now', () => monotonic);
  const { live, waits, wentOn, setClock } = waiting(60_001);
  setClock(1 - HOUR_MS);
  waits.clockJumped(live);
  monotonic = 59_999;
  t.mock.timers.tick(59_999);
  assert.deepEqual(wentOn, []);
  monotonic = 60_000;
  t.mock.timers.tick(1);
  assert.deepEqual(wentOn, ['i']);
});

test('a wait is marked for the next supervisor, which does not begin it anew when the clock was set back', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let monotonic = 0;
  t.mock.method(performance, 'now', () => monotonic);
  assert.deepEqual(waiting(60_001).marked, [['i', 60_001, 60_000]]);
  const { marked, wentOn } = waiting(HOUR_MS, 5_000);
  assert.deepEqual(marked, []);
  monotonic = 4_999;
  t.mock.timers.tick(4_999);
  assert.deepEqual(wentOn, []);
  monotonic = 5_000;
  t.mock.timers.tick(1);
  assert.deepEqual(wentOn, ['i']);
  assert.deepEqual(waiting(HOUR_MS, -1).wentOn, ['i'], 'one that was over while nobody was there');
});

test('a question does not expire before its instant because the clock was set back', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let monotonic = 0;
  t.mock.method(performance, 'now', () => monotonic);
  const { live, wentOn, setClock } = waiting(60_001);
  live.approvals = [PENDING];
  setClock(1 - HOUR_MS);
  monotonic = 60_000;
  t.mock.timers.tick(60_000);
  assert.deepEqual(wentOn, []);
  setClock(60_001);
  monotonic += HOUR_MS + 60_000;
  t.mock.timers.tick(HOUR_MS + 60_000);
  assert.deepEqual(wentOn, ['i']);
});
