import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournalDiagnostics } from '../../../src/supervisor/diagnostics.ts';
import { journalDescriptor } from '../../../src/supervisor/intake/journal-log.ts';
import { pingIntervalMs } from '../../../src/supervisor/service-link.ts';
import { serviceOf, stopSettings } from '../../../src/supervisor/watching/service-facts.ts';

test('a service is known by the pid that systemd means, not by what children inherit', () => {
  const env = { Q_WORKFLOW_UNIT: 'user/q-workflow.service', SYSTEMD_EXEC_PID: '7' };
  const service = { manager: 'systemd', scope: 'user', unit: 'q-workflow.service' };
  assert.deepEqual(serviceOf(env, 7), service);
  assert.equal(serviceOf(env, 8), null);
  assert.deepEqual(serviceOf({ ...env, SYSTEMD_EXEC_PID: undefined, WATCHDOG_PID: '8' }, 8), service);
  assert.equal(serviceOf({}, 7), null);
});

test('launchd is known by its own name for us', () => {
  const env = { Q_WORKFLOW_UNIT: 'user/q-workflow.supervisor' };
  assert.deepEqual(serviceOf({ ...env, XPC_SERVICE_NAME: 'q-workflow.supervisor' }, 7), {
    manager: 'launchd',
    scope: 'user',
    unit: 'q-workflow.supervisor',
  });
  assert.equal(serviceOf({ ...env, XPC_SERVICE_NAME: 'application.com.apple.Terminal' }, 7), null);
});

test('SIGTERM leaves instances running unless the environment says drain', () => {
  assert.deepEqual(stopSettings({}), { onStop: 'leave', drainMs: 120_000 });
  assert.deepEqual(stopSettings({ Q_WORKFLOW_ON_STOP: 'drain', Q_WORKFLOW_DRAIN_SECONDS: '0.5' }), {
    onStop: 'drain',
    drainMs: 500,
  });
  assert.throws(() => stopSettings({ Q_WORKFLOW_ON_STOP: 'kill' }), {
    code: 'USAGE',
    message: 'Q_WORKFLOW_ON_STOP is "kill"; allowed: leave, drain',
  });
  for (const value of ['-1', 'soon', '86401'])
    assert.throws(() => stopSettings({ Q_WORKFLOW_DRAIN_SECONDS: value }), {
      message: `Q_WORKFLOW_DRAIN_SECONDS is "${value}"; allowed: 0 to 86400`,
    });
});

test('the watchdog is fed at half of its time, when it waits for us', () => {
  assert.equal(pingIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '7' }, 7), 15_000);
  assert.equal(pingIntervalMs({ WATCHDOG_USEC: '30000000' }, 7), 15_000);
  assert.equal(pingIntervalMs({ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '8' }, 7), null);
  for (const value of [undefined, '0', 'x', '-1'])
    assert.equal(pingIntervalMs({ WATCHDOG_USEC: value }, 7), null);
});

test('the journal is where JOURNAL_STREAM says, if a descriptor leads there', () => {
  const streams: Readonly<Record<number, string>> = { 1: '8:100', 2: '8:200' };
  const at = (stream: string | undefined) =>
    journalDescriptor({ JOURNAL_STREAM: stream }, (descriptor) => streams[descriptor] ?? '');
  assert.deepEqual([at('8:200'), at('8:100'), at('8:300'), at(''), at(undefined)], [2, 1, null, null, null]);
});

test('a line of the journal has its level in front', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'journal');
  const descriptor = openSync(file, 'a');
  const log = await openJournalDiagnostics(descriptor);
  log.info('fine', { n: 1 });
  log.error('bad');
  await log.close();
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  assert.deepEqual(
    lines.map((line) => line.replace(/"timestamp":"[^"]+"/, '"timestamp":""')),
    [
      '<6>{"level":"info","message":"fine","n":1,"timestamp":""}',
      '<3>{"level":"error","message":"bad","timestamp":""}',
    ],
  );
  closeSync(descriptor);
});
