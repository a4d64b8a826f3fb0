import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, finish, openBench } from '../setup/bench-home.ts';
import {
  assertNothingLeft,
  endOf,
  foldersOf,
  holdLock,
  isLocked,
  pidIn,
  processesOf,
  startRun,
} from '../setup/leftovers.ts';

const isSoak = process.env['Q_TEST_SOAK'] === '1';

describe('stopping and waiting', { timeout: 300_000 }, () => {
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
  const stubborn = (file: string): string =>
    `trap '' TERM; ${holdLock(file)} setsid sh -c 'trap "" TERM; while :; do sleep 1; done' & echo $$ > ${file}; while :; do sleep 1; done`;

  async function follow(
    name: string,
    file: string,
  ): Promise<{ id: string; mark: string; ended: ReturnType<typeof finish> }> {
    bench.workflow(name, { steps: [shell('it', stubborn(file)), shell('never', 'touch never.txt')] });
    const ended = finish(bench.start(['run', name, '--json']));
    const mark = join(bench.workspace, file);
    await pidIn(mark);
    const { id } = (await bench.status('latest')) as StatusDocument;
    assert.ok(isLocked(mark) && processesOf(id).length >= 3);
    return { id, mark, ended };
  }

  test('stop ends a step that ignores SIGTERM within its grace, and the run is stopped', async () => {
    const { id, mark, ended } = await follow('patient', 'patient.txt');
    const before = performance.now();
    const stop = await bench.q('stop', id, '--json');
    assert.equal(stop.status, 0, stop.stderr);
    const { status, stdout } = await ended;
    const tookMs = performance.now() - before;
    const run = JSON.parse(stdout) as StatusDocument;
    assert.equal(status, 7, stdout);
    assert.equal(run.status, 'stopped');
    assert.equal(run.error?.code, 'STOPPED');
    assert.match(run.reason ?? '', /^stop: by person /);
    assert.deepEqual(
      run.steps.map((step) => [step.id, step.status]),
      [['it', 'cancelled']],
    );
    assert.ok(tookMs < 6000, `${tookMs} ms`);
    assert.equal(isLocked(mark), false);
    assertNothingLeft(id);
  });

  test('stop --force kills at once, and the run is killed', async () => {
    const { id, mark, ended } = await follow('impatient', 'impatient.txt');
    const before = performance.now();
    const stop = await bench.q('stop', id, '--force', '--json');
    assert.equal(stop.status, 0, stop.stderr);
    const { status, stdout } = await ended;
    const tookMs = performance.now() - before;
    const run = JSON.parse(stdout) as StatusDocument;
    assert.equal(status, 7, stdout);
    assert.equal(run.status, 'killed');
    assert.equal(run.error?.code, 'KILLED');
    assert.match(run.reason ?? '', /^killed by person /);
    assert.ok(tookMs < 1500, `${tookMs} ms`);
    assert.equal(isLocked(mark), false);
    assertNothingLeft(id);
    assert.deepEqual(
      run.steps.map((step) => [step.id, step.status]),
      [['it', 'interrupted']],
    );
  });

  test('stop --force overtakes a stop that is under way', async () => {
    const { id, mark, ended } = await follow('overtaken', 'overtaken.txt');
    const patient = finish(bench.start(['stop', id]));
    await eventually('the run is stopping', async () => (await bench.status(id)).status === 'stopping');
    const before = performance.now();
    const forced = await bench.q('stop', id, '--force', '--json');
    const { status, stdout } = await ended;
    assert.equal(status, 7, stdout);
    assert.ok(performance.now() - before < 1500);
    assert.equal((JSON.parse(stdout) as StatusDocument).status, 'killed', forced.stderr);
    assert.equal((await patient).status, 0);
    assert.equal(isLocked(mark), false);
    assertNothingLeft(id);
  });

  test('stop of a run that has ended says so', async () => {
    const again = await bench.q('stop', 'latest', '--json');
    assert.equal(again.status, 2, again.stdout);
    assert.equal((JSON.parse(again.stdout) as { error: { code: string } }).error.code, 'ALREADY_ENDED');
  });

  async function waiting(name: string, seconds: number): Promise<string> {
    bench.workflow(name, {
      steps: [shell('it', `[ -e ${name}.txt ] && echo through || { touch ${name}.txt; exit 1; }`)],
      error_handling: { default: { strategy: 'retry', initial_delay: seconds, jitter: 'none' } },
    });
    const id = await startRun(bench, name);
    await eventually('the run waits', async () => (await bench.status(id)).status === 'waiting');
    await eventually('its process is gone', () => processesOf(id).length === 0 && foldersOf(id).length === 0);
    return id;
  }

  test('a run that waits long has no process, and stop ends it', async () => {
    const id = await waiting('long', 40);
    const run = await bench.status(id);
    assert.equal(run.status, 'waiting');
    assert.equal(run.steps[0]?.status, 'waiting');
    const stop = await bench.q('stop', id, '--json');
    assert.equal(stop.status, 0, stop.stderr);
    const ended = await endOf(bench, id);
    assert.equal(ended.status, 'stopped');
    assert.equal(ended.error?.code, 'STOPPED');
  });

  test('a run that waits is still waiting under the next supervisor, and can be stopped there', async () => {
    const id = await waiting('restarted', 40);
    await bench.q('supervisor', 'stop');
    assert.equal((await bench.status(id)).status, 'waiting');
    const stop = await bench.q('stop', id, '--json');
    assert.equal(stop.status, 0, stop.stderr);
    assert.equal((await endOf(bench, id)).status, 'stopped');
  });

  test('a wait that is over goes on in a new process', {
    skip: isSoak ? false : 'takes 31 s: only in a soak',
  }, async () => {
    const id = await waiting('over', 31);
    const run = await endOf(bench, id, 50_000);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(run.incarnations, 2);
    assert.equal(run.steps[0]?.attempts, 2);
  });
});
