import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import {
  endOf,
  holdLock,
  hostOf,
  isLocked,
  outputsOf,
  pidIn,
  runToEnd,
  startRun,
  textOf,
} from '../setup/leftovers.ts';

describe('the same without cgroups', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench({ isolation: 'polling' });
    bench.script('run.sh', 'eval "$1"\n');
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
    // Takes its memory and stays: a look may come 250 ms later.
    bench.script(
      'fill.mjs',
      'const kept = [];\nfor (let n = 0; n < Number(process.argv[2]); n += 8) kept.push(Buffer.alloc(8 * 1024 * 1024, 1));\nsetTimeout(() => console.log(kept.length), 5000);\n',
    );
  });
  after(() => bench.close());

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });

  test('a run completes, and says that its limits are observed', async () => {
    bench.workflow('plain', {
      steps: [
        shell('a', 'echo a'),
        { id: 'both', type: 'parallel', steps: [shell('b', 'echo b'), shell('c', 'sleep 0.3')] },
      ],
    });
    const { code, run } = await runToEnd(bench, 'plain');
    assert.equal(code, 0, JSON.stringify(run.error));
    const { backend, enforced, observed } = run.isolation ?? {};
    assert.deepEqual([backend, enforced], ['polling', []]);
    assert.deepEqual(observed, ['memory', 'cpu', 'processes', 'time', 'disk']);
  });

  test('a step seen over the memory of its own skill fails, and its strategy may catch it', async () => {
    bench.skill('fill', {
      type: 'code_inline',
      command: process.execPath,
      args: ['fill.mjs', '400'],
      security: { resource_limits: { max_memory_mb: 128 } },
    });
    bench.workflow('skill-limit', {
      steps: [{ id: 'greedy', type: 'skill', skill: 'fill' }, shell('next', 'echo on')],
      resource_limits: { max_memory_mb: 1024 },
      error_handling: { per_step: { greedy: 'skip' } },
    });
    const { code, run } = await runToEnd(bench, 'skill-limit');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(
      run.steps.map(({ id, status, error }) => [id, status, error?.code]),
      [
        ['greedy', 'skipped', 'STEP_OOM'],
        ['next', 'completed', undefined],
      ],
    );
  });

  test('a run seen over its memory is ended with the numbers', async () => {
    bench.skill('big', { type: 'code_inline', command: process.execPath, args: ['fill.mjs', '600'] });
    bench.workflow('run-limit', {
      steps: [{ id: 'greedy', type: 'skill', skill: 'big' }],
      resource_limits: { max_memory_mb: 256 },
    });
    const { code, run } = await runToEnd(bench, 'run-limit');
    assert.equal(run.error?.code, 'MEMORY_LIMIT', JSON.stringify(run.error));
    assert.equal(code, 8);
    const [, peak] = /^oom: 256 MB limit, peak (\d+) MB, .*step greedy$/.exec(run.reason ?? '') ?? [];
    assert.ok(Number(peak) > 256, String(run.reason));
  });

  test('a workflow that requires enforcement is refused before anything runs', async () => {
    bench.workflow('strict', {
      steps: [shell('a', 'touch strict.txt')],
      resource_limits: { enforcement: 'required' },
    });
    const { status, stdout } = await bench.q('run', 'strict', '--json');
    assert.equal(status, 6, stdout);
    const { error } = JSON.parse(stdout) as { error: { code: string; message: string } };
    assert.equal(error.code, 'ISOLATION_MISSING');
    assert.match(error.message, /memory, cpu, processes would only be observed here \(polling\)/);
    assert.equal(textOf(join(bench.workspace, 'strict.txt')), '');
  });

  test('daemons of a step that has ended do not survive it', async () => {
    bench.script(
      'daemon.sh',
      "trap '' TERM HUP; exec 9> daemon.lock; flock 9; echo $$ > daemon.txt; while :; do sleep 1; done\n",
    );
    bench.workflow('daemon', {
      steps: [
        shell(
          'it',
          '(setsid sh daemon.sh </dev/null >/dev/null 2>&1 &); while [ ! -s daemon.txt ]; do sleep 0.02; done',
        ),
        shell('next', 'echo on'),
      ],
    });
    const { code, run } = await runToEnd(bench, 'daemon');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.ok(Number(outputsOf(run, 'it').left_behind) >= 1);
    assert.equal(isLocked(join(bench.workspace, 'daemon')), false);
  });

  test('a busy step is held to its CPU limit and its run ends', async () => {
    const burn =
      'end=$(( $(date +%s%N) + 3000000000 )); while [ $(date +%s%N) -lt $end ]; do n=0; while [ $n -lt 2000 ]; do n=$((n+1)); done; done';
    bench.workflow('burn', { steps: [shell('it', burn)], resource_limits: { max_cpu_percent: 50 } });
    const { code, run } = await runToEnd(bench, 'burn');
    assert.equal(code, 0, JSON.stringify(run.error));
    const wall = (Date.parse(run.ended_at ?? '') - Date.parse(run.started_at ?? '')) / 1000;
    const percent = ((run.usage?.cpu_seconds ?? 0) / wall) * 100;
    assert.ok(percent > 30 && percent < 65, `${percent} % of a core over ${wall} s`);
  });

  test('a timeout and a stop end whole trees', async () => {
    const tree = (file: string): string =>
      `trap '' TERM; ${holdLock(file)} setsid sh -c 'trap "" TERM; echo $$ > ${file}; while :; do sleep 1; done' & while :; do sleep 1; done`;
    bench.workflow('slow', { steps: [shell('it', tree('slow.txt'), { timeout: 1 })] });
    const { code, run } = await runToEnd(bench, 'slow');
    assert.equal(code, 1);
    assert.equal(run.error?.code, 'STEP_TIMEOUT');
    assert.equal(isLocked(join(bench.workspace, 'slow.txt')), false);
    bench.workflow('forced', { steps: [shell('it', tree('forced.txt'))] });
    const id = await startRun(bench, 'forced');
    await pidIn(join(bench.workspace, 'forced.txt'));
    assert.ok(isLocked(join(bench.workspace, 'forced.txt')));
    await bench.q('stop', id, '--force');
    assert.equal((await endOf(bench, id)).status, 'killed');
    assert.equal(isLocked(join(bench.workspace, 'forced.txt')), false);
  });

  test('the steps of a killed process are ended before the run is resumed', async () => {
    bench.workflow('killed', {
      steps: [
        shell(
          'it',
          'if [ -s mark.txt ]; then echo again; else exec 9> mark.txt.lock; flock 9; echo $$ > mark.txt; while :; do sleep 1; done; fi',
        ),
      ],
    });
    const id = await startRun(bench, 'killed');
    await pidIn(join(bench.workspace, 'mark.txt'));
    assert.ok(isLocked(join(bench.workspace, 'mark.txt')));
    process.kill(await eventually('the process of the instance', () => hostOf(id)), 'SIGKILL');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(run.incarnations, 2);
    assert.equal(isLocked(join(bench.workspace, 'mark.txt')), false);
  });
});
