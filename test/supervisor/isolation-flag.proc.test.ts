import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { type Bench, eventually, finish, openBench } from '../setup/bench-home.ts';

describe('the flag --isolation of the supervisor', { timeout: 60_000 }, () => {
  let bench: Bench;
  beforeEach(() => {
    bench = openBench();
  });
  afterEach(() => bench.close());

  const errorIn = (stdout: string): { code: string; message: string; hint: string } =>
    (JSON.parse(stdout) as { error: { code: string; message: string; hint: string } }).error;

  test('start takes it, over the environment', async () => {
    const { status, stdout, stderr } = await bench.qWith(
      { Q_WORKFLOW_ISOLATION: 'auto' },
      ...['supervisor', 'start', '--isolation', 'polling', '--json'],
    );
    assert.deepEqual([status, stderr], [0, '']);
    const { isolation, missing } = JSON.parse(stdout) as SupervisorStatus;
    assert.equal(isolation.backend, 'polling');
    assert.deepEqual(isolation.enforced, []);
    assert.equal(missing[0], 'Polling was asked for.');
  });

  test('start says so when the supervisor that runs has another one', async () => {
    assert.equal((await bench.q('supervisor', 'start', '--isolation', 'polling')).status, 0);
    const pid = await bench.supervisorPid();
    const { status, stdout } = await bench.q('supervisor', 'start', '--isolation', 'cgroup', '--json');
    assert.equal(status, 5);
    const { code, message, hint } = errorIn(stdout);
    assert.deepEqual(
      [code, message, hint],
      [
        'SUPERVISOR_RUNNING',
        `the supervisor that runs already, pid ${pid}, uses polling, not cgroup`,
        'Run q workflow supervisor stop, then start it again; running instances go on.',
      ],
    );
    for (const isolation of ['auto', 'polling'])
      assert.equal((await bench.q('supervisor', 'start', '--isolation', isolation)).status, 0);
    assert.equal(await bench.supervisorPid(), pid);
  });

  test('run takes it', async () => {
    const child = bench.start(['supervisor', 'run', '--isolation', 'polling']);
    const ended = finish(child);
    const status = await eventually('the supervisor', async () => {
      const answer = (await bench.json('supervisor', 'status')) as Partial<SupervisorStatus>;
      return answer.pid !== undefined && answer;
    });
    assert.equal(status.isolation?.backend, 'polling');
    child.kill('SIGTERM');
    assert.equal((await ended).status, 0);
  });

  test('a wrong value exits 2, of the flag and of the environment', async () => {
    for (const command of ['start', 'run']) {
      const { status, stderr } = await bench.q('supervisor', command, '--isolation', 'jail');
      assert.equal(status, 2);
      assert.match(
        stderr,
        /^error Expected --isolation=jail to be one of: auto, cgroup, polling \[USAGE\]\n/,
      );
      const other = await bench.qWith({ Q_WORKFLOW_ISOLATION: 'jail' }, 'supervisor', command);
      assert.equal(other.status, 2, other.stderr);
      assert.match(
        other.stderr,
        /Q_WORKFLOW_ISOLATION or --isolation is "jail"; allowed: auto, cgroup, polling/,
      );
    }
    const { status, stderr } = await bench.q('run', 'x', '--isolation', 'polling');
    assert.deepEqual([status, stderr.split('\n')[0]], [2, 'error Nonexistent flag: --isolation [USAGE]']);
  });
});
