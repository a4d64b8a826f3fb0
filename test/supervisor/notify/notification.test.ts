import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Notification, notificationOf } from '../../../src/supervisor/notify/notification.ts';

const told = (type: string, data: object, instance: string | null = 'abc'): Promise<Notification | null> =>
  notificationOf(
    'log',
    { seq: 7, body: JSON.stringify({ type, at: 1000, instance, data }) },
    async () => 'deploy',
  );

test('a failed run, with its reason and the code of its error', async () => {
  const error = { code: 'STEP_EXIT', message: 'said "hunter2"', step: 'push' };
  assert.deepEqual(await told('run.ended', { status: 'timed_out', reason: 'took\n3601 s', error }), {
    id: 'log:7',
    event: 'run.failed',
    at: '1970-01-01T00:00:01.000Z',
    workflow: 'deploy',
    instance: 'abc',
    text: 'deploy (abc) timed out: took 3601 s',
    details: { status: 'timed_out', reason: 'took\n3601 s', code: 'STEP_EXIT', step: 'push' },
  });
});

test('which ends are failures', async () => {
  const event = async (status: string): Promise<string | null> =>
    (await told('run.ended', { status, reason: '' }))?.event ?? null;
  assert.deepEqual(
    await Promise.all(
      ['completed', 'failed', 'killed', 'timed_out', 'rolled_back', 'rollback_failed', 'stopped'].map(event),
    ),
    ['run.completed', 'run.failed', 'run.failed', 'run.failed', 'run.failed', 'run.failed', null],
  );
});

test('an approval says what to type, and nothing of its arguments', async () => {
  const notification = await told('approval.requested', {
    approval: 2,
    path: 'push',
    kind: 'tool',
    what: 'shell',
    agent: 'helper',
    reason: 'a rule',
    args: { command: 'rm -rf /srv' },
    expires_at: '2026-06-02T12:00:00.000Z',
  });
  assert.equal(
    notification?.text,
    'deploy (abc) waits for approval 2: shell in step push. q workflow approve abc 2',
  );
  assert.ok(!JSON.stringify(notification).includes('srv'));
});

test('limits and kill switches, with their numbers and reasons', async () => {
  const limit = await told('limit.hit', { path: null, limit: 'memory', allowed: 512, peak: 511 });
  assert.equal(limit?.text, 'deploy (abc) met its memory limit: allowed 512, peak 511');
  const kill = await told(
    'kill.tripped',
    { scope: 'global', mode: 'kill', reason: 'r', by: 'person eva' },
    null,
  );
  assert.deepEqual(
    [kill?.text, kill?.workflow, kill?.instance],
    ['kill switch global tripped by person eva: r', null, null],
  );
});

test('other records are no news, and a text has an end', async () => {
  assert.equal(await told('step.completed', { path: 'a' }), null);
  const long = await told('run.ended', { status: 'failed', reason: 'x'.repeat(10_000) });
  assert.equal(long?.text.length, 500);
});
