import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { holdLock, isLocked, runToEnd, textOf } from '../setup/leftovers.ts';

describe('limits of processes, CPU and time', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
    bench.script('run.sh', 'eval "$1"\n');
  });
  after(() => bench.close());

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });

  test('max_cpu_percent holds eight busy processes to half a core together', async () => {
    const burn =
      'end=$(( $(date +%s%N) + 3000000000 )); while [ $(date +%s%N) -lt $end ]; do n=0; while [ $n -lt 2000 ]; do n=$((n+1)); done; done';
    bench.workflow('burn', {
      steps: [shell('it', `for n in 1 2 3 4 5 6 7; do (${burn}) & done; ${burn}; wait; echo done`)],
      resource_limits: { max_cpu_percent: 50 },
    });
    const { code, run } = await runToEnd(bench, 'burn');
    assert.equal(code, 0, JSON.stringify(run.error));
    const wall = (Date.parse(run.ended_at ?? '') - Date.parse(run.started_at ?? '')) / 1000;
    const percent = ((run.usage?.cpu_seconds ?? 0) / wall) * 100;
    // A busy machine may give it less than it may have; that it was held back shows that the limit did it.
    assert.ok(percent < 60, `${percent} % of a core over ${wall} s`);
    const [hit, ...more] = run.limits_hit;
    assert.deepEqual([hit?.step, hit?.limit, hit?.allowed, more.length], [null, 'cpu', 50, 0]);
    assert.ok((hit?.held_back_seconds ?? 0) > 0.1, JSON.stringify(hit));
    assert.ok((run.usage?.series?.cpu_percent.length ?? 0) > 5, JSON.stringify(run.usage));
  });

  test('max_processes bounds a fork bomb, and the run ends with nothing left', async () => {
    bench.script('bomb.sh', 'sh bomb.sh & sh bomb.sh & sleep 5; wait\n');
    bench.workflow('bomb', {
      steps: [shell('it', 'sh bomb.sh', { timeout: 2 })],
      resource_limits: { max_processes: 60 },
    });
    const { code, run } = await runToEnd(bench, 'bomb');
    assert.equal(code, 1, JSON.stringify(run.error));
    assert.ok(
      ['STEP_TIMEOUT', 'EXIT_NONZERO', 'PROCESS_LIMIT'].includes(run.error?.code ?? ''),
      JSON.stringify(run.error),
    );
    const peak = run.usage?.processes_peak ?? 0;
    assert.ok(peak > 20 && peak <= 60, `${peak} processes`);
  });

  test('max_processes too low for the instance process itself counts as the 32 that it needs', async () => {
    bench.workflow('narrow', { steps: [shell('it', 'echo ran')], resource_limits: { max_processes: 1 } });
    const { code, run } = await runToEnd(bench, 'narrow');
    assert.equal(code, 0, run.reason ?? '');
    assert.equal(run.limits.max_processes, 32);
  });

  test('max_execution_time ends a run that waits for its next attempt, in time', async () => {
    bench.workflow('between', {
      steps: [shell('it', 'exit 1')],
      error_handling: { default: { strategy: 'retry', initial_delay: 20, jitter: 'none' } },
      resource_limits: { max_execution_time: 1 },
    });
    const before = performance.now();
    const { code, run } = await runToEnd(bench, 'between');
    assert.equal(run.status, 'timed_out');
    assert.equal(code, 8);
    assert.ok(performance.now() - before < 4000, `${performance.now() - before} ms`);
  });

  test('a run that ran out of its time has it anew when a person resumes it', async () => {
    bench.workflow('again', {
      steps: [shell('it', '[ -e again.txt ] || { echo > again.txt; sleep 1000; }')],
      resource_limits: { max_execution_time: 2 },
    });
    const { run } = await runToEnd(bench, 'again');
    assert.equal(run.status, 'timed_out');
    const resumed = await bench.q('resume', run.id, '--json');
    assert.equal(resumed.status, 0, resumed.stdout);
    const verified = await bench.q('audit', 'verify');
    assert.equal(verified.status, 0, verified.stdout + verified.stderr);
  });

  test('max_execution_time ends a step that never ends, with all its tree', async () => {
    bench.workflow('endless', {
      steps: [
        shell(
          'it',
          `trap '' TERM; ${holdLock('endless')} echo $$ > endless.txt; setsid sleep 1000 & while :; do sleep 1; done`,
        ),
      ],
      resource_limits: { max_execution_time: 1 },
    });
    const { code, run } = await runToEnd(bench, 'endless');
    assert.equal(code, 8, JSON.stringify(run.error));
    assert.equal(run.status, 'timed_out');
    assert.equal(run.error?.code, 'TIME_LIMIT');
    assert.match(run.reason ?? '', /1 s/);
    assert.notEqual(textOf(join(bench.workspace, 'endless.txt')), '');
    assert.equal(isLocked(join(bench.workspace, 'endless')), false);
    const types = bench.journal(run.id).map(({ event }) => event.type);
    assert.deepEqual(types, [
      'run.started',
      'step.started',
      'limit.hit',
      'run.stopping',
      'step.cancelled',
      'run.ended',
    ]);
    assert.deepEqual(run.limits_hit, [{ step: null, limit: 'time', allowed: 1, peak: 1 }]);
  });

  test('max_concurrent_steps counts leaf attempts over all nesting', async () => {
    // Each step notes how many are running; a directory is made by one process only.
    const count = (id: string): object =>
      shell(id, 'mkdir -p at; own=$(mktemp -d at/XXXXXX); ls at | wc -l >> seen.txt; sleep 0.15; rmdir $own');
    bench.workflow('nested', {
      steps: [
        {
          id: 'outer',
          type: 'parallel',
          steps: [
            { id: 'a', type: 'parallel', steps: [count('a1'), count('a2'), count('a3')] },
            {
              id: 'b',
              type: 'parallel',
              steps: [count('b1'), { id: 'c', type: 'parallel', steps: [count('c1'), count('c2')] }],
            },
            count('d'),
          ],
        },
      ],
      resource_limits: { max_concurrent_steps: 2, max_cpu_percent: 200 },
    });
    const { code, run } = await runToEnd(bench, 'nested');
    assert.equal(code, 0, JSON.stringify(run.error));
    const seen = textOf(join(bench.workspace, 'seen.txt')).trim().split('\n').map(Number);
    assert.equal(seen.length, 7);
    assert.equal(Math.max(...seen), 2, seen.join(' '));
  });
});
