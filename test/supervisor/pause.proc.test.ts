import assert from 'node:assert/strict';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { assertNothingLeft, endOf, hostOf, isRunning, pidIn, startRun, textOf } from '../setup/leftovers.ts';

describe('pausing an instance', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
    bench.script('run.sh', 'eval "$1"\n');
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
  });
  after(() => bench.close());

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });
  /** A step that writes a dot every 50 ms until `go` is there, then ends. */
  const dots = (name: string): string =>
    `echo $$ > ${name}.pid; while [ ! -e ${name}.go ]; do printf . >> ${name}.dots; sleep 0.05; done`;
  const size = (name: string): number => statSync(join(bench.workspace, `${name}.dots`)).size;

  async function begin(name: string, limits: object = {}): Promise<{ id: string; pid: number }> {
    bench.workflow(name, { steps: [shell('it', dots(name))], resource_limits: limits });
    const id = await startRun(bench, name);
    const pid = await pidIn(join(bench.workspace, `${name}.pid`));
    await eventually('the step writes', () => textOf(join(bench.workspace, `${name}.dots`)).length > 2);
    return { id, pid };
  }

  /** The step must write nothing while another process of ours does two things that take time. */
  async function assertStandsStill(name: string, id: string): Promise<void> {
    assert.equal((await bench.status(id)).status, 'paused');
    const before = size(name);
    await bench.status(id);
    await bench.status(id);
    assert.equal(size(name), before, 'a paused step went on');
  }

  test('a paused step stands still, and resume lets it go on in the same process', async () => {
    const { id, pid } = await begin('still');
    const paused = (await bench.json('pause', id)) as { id: string; status: string };
    assert.deepEqual(paused, { id, status: 'paused' });
    await assertStandsStill('still', id);
    assert.match((await bench.status(id)).paused?.by ?? '', /^person /);
    const resumed = await bench.q('resume', id, '--detach');
    assert.equal(resumed.status, 0, resumed.stderr);
    bench.script('still.go', '');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed');
    assert.equal(run.paused, null);
    assert.equal(Number(textOf(join(bench.workspace, 'still.pid'))), pid);
    assert.deepEqual(
      bench.journal(id).map(({ event }) => event.type),
      ['run.started', 'step.started', 'step.completed', 'run.ended'],
    );
  });

  test('a pause survives the supervisor: the next one finds it paused and lets it go on', async () => {
    const { id } = await begin('survivor');
    await bench.json('pause', id);
    const host = hostOf(id);
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    await assertStandsStill('survivor', id);
    await bench.json('resume', id, '--detach');
    bench.script('survivor.go', '');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed');
    assert.equal(run.incarnations, 1);
    assert.ok(host !== undefined && !isRunning(host));
  });

  test('paused time does not count against max_execution_time nor against a timeout', async () => {
    bench.workflow('slow', {
      steps: [shell('it', dots('slow'), { timeout: 4 })],
      resource_limits: { max_execution_time: 4 },
    });
    const id = await startRun(bench, 'slow');
    await pidIn(join(bench.workspace, 'slow.pid'));
    await bench.json('pause', id);
    const since = Date.parse((await bench.status(id)).paused?.since ?? '');
    await eventually('the pause was longer than both limits', () => Date.now() - since > 6000);
    await bench.json('resume', id, '--detach');
    bench.script('slow.go', '');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed', run.reason ?? '');
  });

  test('a paused run can be stopped, and killed', async () => {
    for (const flags of [[], ['--force']]) {
      const name = flags.length === 0 ? 'stopped' : 'killed';
      const { id, pid } = await begin(name);
      await bench.json('pause', id);
      assert.ok(isRunning(pid));
      const { status, stderr } = await bench.q('stop', id, ...flags);
      assert.equal(status, 0, stderr);
      const run = await endOf(bench, id);
      assert.equal(run.status, name);
      assert.equal(run.paused, null);
      assertNothingLeft(id);
    }
  });

  test('an instance that dies while it is paused is resumed only when it may go on', async () => {
    const { id } = await begin('dying');
    await bench.json('pause', id);
    const host = hostOf(id);
    assert.ok(host !== undefined);
    process.kill(host, 'SIGKILL');
    await eventually('its process is gone', () => !isRunning(host));
    await eventually('it is paused without a process', async () => (await bench.status(id)).pid === null);
    assert.equal((await bench.status(id)).status, 'paused');
    bench.script('dying.go', '');
    await bench.json('resume', id, '--detach');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed');
    assert.equal(run.incarnations, 2);
  });

  test('a run that waits for its next attempt is not started while it is paused', async () => {
    bench.workflow('waiting', {
      steps: [shell('it', 'echo x >> waiting.txt; exit 1')],
      error_handling: { default: { strategy: 'retry', max_attempts: 2, initial_delay: 40, jitter: 'none' } },
    });
    const id = await startRun(bench, 'waiting');
    await eventually('it waits', async () => (await bench.status(id)).status === 'waiting');
    await eventually('without a process', async () => (await bench.status(id)).pid === null);
    await bench.json('pause', id);
    assert.equal((await bench.status(id)).status, 'paused');
    await bench.json('resume', id, '--detach');
    assert.equal((await bench.status(id)).status, 'waiting');
    await bench.q('stop', id);
    assert.equal((await endOf(bench, id)).status, 'stopped');
  });

  test('pause of a run that has ended says so', async () => {
    bench.workflow('over', { steps: [shell('it', 'true')] });
    const id = await startRun(bench, 'over');
    await endOf(bench, id);
    const { status, stdout } = await bench.q('pause', id, '--json');
    assert.equal((JSON.parse(stdout) as { error: { code: string } }).error.code, 'ALREADY_ENDED');
    assert.notEqual(status, 0);
  });
});
