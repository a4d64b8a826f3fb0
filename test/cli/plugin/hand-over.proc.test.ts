import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { handOver } from '../../../src/cli/plugin/hand-over.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import { eventually } from '../../setup/bench-home.ts';

const SIGNALS = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP'];
const listeners = (): number[] => SIGNALS.map((signal) => process.listenerCount(signal));

test('the exit status is that of the program, 128 and the signal where one ended it', async () => {
  const before = listeners();
  assert.equal(await handOver('/bin/sh', ['-c', 'exit 7']), 7);
  assert.equal(await handOver('/bin/sh', ['-c', 'kill -KILL $$']), 137);
  assert.equal(await handOver('/bin/sh', ['-c', 'exit $GIVEN'], { GIVEN: '3' }), 3);
  assert.deepEqual(listeners(), before);
});

test('a program that cannot be started is SPAWN_FAILED, with its name', async () => {
  const before = listeners();
  await assert.rejects(handOver('/nowhere/q', []), (error) => {
    assert.ok(error instanceof WorkflowError);
    assert.equal(error.code, 'SPAWN_FAILED');
    assert.match(error.message, /^\/nowhere\/q could not be started: .*ENOENT/);
    return true;
  });
  assert.deepEqual(listeners(), before);
});

test('SIGTERM is handed on, and SIGINT is left to the program, which has it from the terminal', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-hand-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const ready = join(folder, 'ready');
  const script = 'trap "exit 5" TERM; trap "exit 6" INT; : > "$0"; while :; do sleep 0.02; done';
  const ended = handOver('/bin/sh', ['-c', script, ready]);
  await eventually('the program has its traps', () => existsSync(ready));
  process.emit('SIGINT');
  process.emit('SIGTERM');
  assert.equal(await ended, 5);
});
