import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Notification } from '../../../src/supervisor/notify/notification.ts';
import {
  createOutbox,
  MAX_PENDING,
  type Outbox,
  RETRY_DELAYS_MS,
} from '../../../src/supervisor/notify/outbox.ts';
import type { Delivery } from '../../../src/supervisor/notify/outbox-file.ts';
import type { Target } from '../../../src/supervisor/notify/targets.ts';
import type { PostOutcome } from '../../../src/supervisor/watching/http-post.ts';

const target = (name: string): Target => ({
  name,
  means: { kind: 'command', argv: ['x'] },
  timeoutMs: 1000,
  events: ['run.failed'],
  workflows: [],
});
const news = (id: string): Notification => ({
  id,
  event: 'run.failed',
  at: '',
  workflow: 'w',
  instance: 'i',
  text: '',
  details: {},
});
const DONE: PostOutcome = { kind: 'done' };
const FAILED: PostOutcome = { kind: 'failed', why: 'h: status 503', isFinal: false };
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Desk {
  readonly outbox: Outbox;
  readonly tried: string[];
  readonly said: string[];
  changed: number;
}

/** An outbox whose targets answer as told, on a clock that the test moves. */
function open(
  t: TestContext,
  answer: (name: string, id: string, signal: AbortSignal) => PostOutcome | Promise<PostOutcome>,
  kept: readonly Delivery[] = [],
): Desk {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'] });
  const tried: string[] = [];
  const said: string[] = [];
  const outbox = createOutbox(kept, {
    deliver: async ({ name }, { id }, signal) => {
      tried.push(`${name} ${id}`);
      return answer(name, id, signal);
    },
    changed: () => {
      desk.changed += 1;
    },
    delivered: ({ target: name, notification }) => said.push(`delivered ${name} ${notification.id}`),
    failed: ({ target: name, notification, attempts }, why) =>
      said.push(`failed ${name} ${notification.id} after ${attempts}: ${why}`),
    dropped: (deliveries) => said.push(`dropped ${deliveries.length}`),
    now: Date.now,
    random: () => 0.5,
  });
  const desk: Desk = { outbox, tried, said, changed: 0 };
  return desk;
}

test('a target that fails is tried again with growing delays, six times in all', async (t) => {
  const { outbox, tried, said } = open(t, () => FAILED);
  outbox.setTargets([target('a')]);
  outbox.add([news('1')]);
  await settle();
  assert.equal(tried.length, 1);
  for (const [index, delay] of RETRY_DELAYS_MS.entries()) {
    t.mock.timers.tick(delay - 1);
    await settle();
    assert.equal(tried.length, index + 1, 'not before its time');
    t.mock.timers.tick(1);
    await settle();
    assert.equal(tried.length, index + 2);
  }
  assert.deepEqual(said, ['failed a 1 after 6: h: status 503']);
  assert.deepEqual(outbox.pending, []);
});

test('what would be the same the next time is given up at once', async (t) => {
  const { outbox, said } = open(t, () => ({ ...FAILED, isFinal: true }));
  outbox.setTargets([target('a')]);
  outbox.add([news('1')]);
  await settle();
  assert.deepEqual(said, ['failed a 1 after 1: h: status 503']);
});

test('one that hangs holds up no other, and gets one thing at a time', async (t) => {
  const { outbox, tried, said } = open(t, (name) =>
    name === 'hangs' ? new Promise<PostOutcome>(() => undefined) : DONE,
  );
  outbox.setTargets([target('hangs'), target('works')]);
  outbox.add([news('1'), news('2')]);
  await settle();
  assert.deepEqual(tried, ['hangs 1', 'works 1', 'works 2']);
  assert.deepEqual(said, ['delivered works 1', 'delivered works 2']);
  assert.deepEqual(
    outbox.pending.map(({ notification }) => notification.id),
    ['1', '2'],
  );
});

test('no more than so many wait; the others are dropped, and it is said', async (t) => {
  const { outbox, said } = open(t, () => new Promise<PostOutcome>(() => undefined));
  outbox.setTargets([target('a')]);
  outbox.add(Array.from({ length: MAX_PENDING + 3 }, (_, index) => news(String(index))));
  assert.equal(outbox.pending.length, MAX_PENDING);
  assert.deepEqual(said, ['dropped 3']);
  outbox.add([news('more')]);
  assert.deepEqual(said, ['dropped 3', 'dropped 1']);
});

test('what an earlier supervisor left is delivered when it is due, unless its target is gone', async (t) => {
  const kept = ['a', 'gone'].map(
    (name): Delivery => ({ target: name, notification: news('1'), attempts: 5, dueAt: 10_000 }),
  );
  const { outbox, tried, said } = open(t, () => FAILED, kept);
  outbox.setTargets([target('a')]);
  await settle();
  assert.deepEqual(tried, []);
  t.mock.timers.tick(10_000);
  await settle();
  assert.deepEqual(tried, ['a 1']);
  assert.deepEqual(said, ['failed a 1 after 6: h: status 503']);
});

test('a clock that is set back puts off no further attempt, however far', async (t) => {
  // 60 days: a timer that long would end at once, again and again.
  const kept = [{ target: 'a', notification: news('1'), attempts: 4, dueAt: 60 * 86_400_000 }];
  const { outbox, tried, said } = open(t, () => FAILED, kept);
  outbox.setTargets([target('a')]);
  await settle();
  assert.deepEqual(tried, ['a 1']);
  t.mock.timers.tick(511_999);
  await settle();
  assert.deepEqual([tried, said], [['a 1'], []]);
  t.mock.timers.tick(1);
  await settle();
  assert.deepEqual(said, ['failed a 1 after 6: h: status 503']);
});

test('a close calls off what is under way, which stays pending', async (t) => {
  const { outbox, said } = open(
    t,
    (_name, _id, signal) =>
      new Promise((resolve) =>
        signal.addEventListener('abort', () => resolve({ kind: 'failed', why: 'off', isFinal: false })),
      ),
  );
  outbox.setTargets([target('a')]);
  outbox.add([news('1'), news('2')]);
  await outbox.close();
  assert.deepEqual(
    outbox.pending.map(({ notification, attempts }) => [notification.id, attempts]),
    [
      ['1', 0],
      ['2', 0],
    ],
  );
  assert.deepEqual(said, []);
});
