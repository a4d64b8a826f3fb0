import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, hostOf, pidIn, runToEnd, startRun } from '../setup/leftovers.ts';

const MEGABYTE = 1024 * 1024;

describe('the memory limit of an instance', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
    // Writes what it takes, so that the pages are really there.
    bench.script(
      'fill.mjs',
      "import { argv } from 'node:process';\nconst kept = [];\nfor (let n = 0; n < Number(argv[2]); n += 8) kept.push(Buffer.alloc(8 * 1024 * 1024, 1));\nconsole.log(kept.length);\n",
    );
    bench.skill('fill', {
      type: 'code_inline',
      command: process.execPath,
      args: ['fill.mjs', '{megabytes}'],
    });
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
    bench.script('run.sh', 'eval "$1"\n');
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  });
  after(() => bench.close());

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });
  const greedy = { id: 'greedy', type: 'skill', skill: 'fill', inputs: { megabytes: 1024 } };

  test('a step that is killed for memory ends the run with the numbers of limit and peak', async () => {
    bench.workflow('greedy', { steps: [greedy], resource_limits: { max_memory_mb: 192 } });
    const { code, run } = await runToEnd(bench, 'greedy');
    assert.equal(code, 8, JSON.stringify(run.error));
    assert.equal(run.status, 'failed');
    assert.equal(run.error?.code, 'STEP_OOM');
    const [, peak] = /^oom: 192 MB limit, peak (\d+) MB, step greedy$/.exec(run.reason ?? '') ?? [];
    assert.ok(Number(peak) >= 150 && Number(peak) <= 192, String(run.reason));
    assert.ok((run.usage?.peak_memory_bytes ?? 0) <= 192 * MEGABYTE);
    const hit = bench.journal(run.id).find(({ event }) => event.type === 'limit.hit')?.event;
    assert.deepEqual(
      { ...hit, peak: 0 },
      { type: 'limit.hit', path: 'greedy', limit: 'memory', allowed: 192 * MEGABYTE, peak: 0 },
    );
  });

  test('a step that is killed for memory and skipped lets its run complete', async () => {
    bench.workflow('forgiven', {
      steps: [greedy, shell('next', 'echo "{\\"ok\\": true}"', { outputs: ['ok'] })],
      resource_limits: { max_memory_mb: 192 },
      error_handling: { per_step: { greedy: 'skip' } },
    });
    const { code, run } = await runToEnd(bench, 'forgiven');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(
      run.steps.map(({ id, status, error }) => [id, status, error?.code ?? null]),
      [
        ['greedy', 'skipped', 'STEP_OOM'],
        ['next', 'completed', null],
      ],
    );
    assert.equal(run.incarnations, 1);
  });

  test('a step of which one process is killed for memory fails as a whole, whatever the rest of it makes of that', async () => {
    // On cgroup v1 the kernel kills that one process only, on v2 all of the step.
    bench.workflow('partly', {
      steps: [
        shell('hides', 'tail /dev/zero; true'),
        shell('lingers', 'tail /dev/zero; while true; do sleep 1; done'),
      ],
      resource_limits: { max_memory_mb: 96 },
      error_handling: { default: 'skip' },
    });
    const { code, run } = await runToEnd(bench, 'partly');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(
      run.steps.map(({ id, status, error }) => [id, status, error?.code ?? null]),
      [
        ['hides', 'skipped', 'STEP_OOM'],
        ['lingers', 'skipped', 'STEP_OOM'],
      ],
    );
    const hits = bench.journal(run.id).filter(({ event }) => event.type === 'limit.hit');
    assert.deepEqual(
      hits.map(({ event }) => (event.type === 'limit.hit' ? [event.path, event.limit] : null)),
      [
        ['hides', 'memory'],
        ['lingers', 'memory'],
      ],
    );
  });

  test('a step over the limit of its own skill does not exhaust the instance', async () => {
    bench.skill('fill-small', {
      type: 'code_inline',
      command: process.execPath,
      args: ['fill.mjs', '300'],
      security: { resource_limits: { max_memory_mb: 96 } },
    });
    bench.workflow('small', {
      steps: [{ id: 'it', type: 'skill', skill: 'fill-small' }],
      resource_limits: { max_memory_mb: 512 },
    });
    const { code, run } = await runToEnd(bench, 'small');
    assert.equal(run.error?.code, 'STEP_OOM', JSON.stringify(run.error));
    assert.equal(code, 1);
    assert.match(run.reason ?? '', /^oom: 96 MB limit, peak (8\d|9[0-6]) MB, step it$/);
  });

  test('an instance process that uses up its heap ends its run, and no other', async () => {
    bench.workflow('bystander', {
      steps: [shell('slow', 'sleep 4; echo through')],
      resource_limits: { max_memory_mb: 128 },
    });
    const bystander = await startRun(bench, 'bystander');
    // Each turn keeps a text of half a megabyte of its own in the state of the run.
    bench.workflow('heap', {
      context: { readonly: { base: 'x'.repeat(500_000) } },
      steps: [
        {
          id: 'grow',
          type: 'loop',
          condition: 'true',
          max_iterations: 1000,
          steps: [
            { id: 'keep', type: 'skill', skill: 'say', inputs: { text: '${{ base }}${{ iteration }}' } },
          ],
        },
      ],
      resource_limits: { max_memory_mb: 96 },
    });
    const { code, run } = await runToEnd(bench, 'heap');
    assert.equal(run.error?.code, 'MEMORY_LIMIT', JSON.stringify(run.error));
    assert.equal(code, 8);
    assert.equal(run.status, 'failed');
    assert.match(
      run.reason ?? '',
      /^oom: 96 MB limit, peak \d+ MB, (JavaScript heap of the )?instance process/,
    );
    const other = await endOf(bench, bystander);
    assert.equal(other.status, 'completed', JSON.stringify(other.error));
    assert.equal(other.incarnations, 1);
  });

  test('one of two instances is killed for memory and the other completes untouched', async () => {
    bench.workflow('beside', {
      steps: [
        { id: 'it', type: 'skill', skill: 'fill', inputs: { megabytes: 96 } },
        shell('wait', 'sleep 2; echo ok'),
      ],
      resource_limits: { max_memory_mb: 320 },
    });
    const beside = await startRun(bench, 'beside');
    const { run } = await runToEnd(bench, 'greedy');
    assert.equal(run.error?.code, 'STEP_OOM');
    const other = await endOf(bench, beside);
    assert.equal(other.status, 'completed', JSON.stringify(other.error));
    assert.equal(other.incarnations, 1);
    assert.ok(bench.journal(beside).every(({ event }) => event.type !== 'limit.hit'));
  });

  test('a kill of the process after steps were killed for memory is a crash, not the memory limit', async () => {
    const hogs = `for n in 1 2 3; do ${process.execPath} fill.mjs 1024 & done; wait; sleep 0.5; exit 3`;
    bench.workflow('hogs', {
      steps: [
        shell('hogs', hogs),
        shell(
          'hang',
          'if [ -s hang.txt ]; then echo on; else echo $$ > hang.txt; while :; do sleep 1; done; fi',
        ),
      ],
      resource_limits: { max_memory_mb: 192 },
      error_handling: { per_step: { hogs: 'skip' } },
    });
    const id = await startRun(bench, 'hogs');
    // Usage is read while the cgroup of the step is there with its kills.
    await eventually(
      'the hogs are killed',
      async () => (await bench.status(id)).steps[0]?.error?.code === 'STEP_OOM',
    );
    await pidIn(join(bench.workspace, 'hang.txt'));
    process.kill(await eventually('the process of the instance', () => hostOf(id)), 'SIGKILL');
    const run = await endOf(bench, id);
    assert.equal(run.status, 'completed', run.reason ?? '');
    assert.equal(run.incarnations, 2);
  });

  test('a process that the kernel kills for memory after a step was is the memory limit of the instance', async () => {
    bench.workflow('after', {
      context: { mutable: { text: 'x'.repeat(1024) } },
      steps: [
        { ...greedy, id: 'first' },
        {
          id: 'grow',
          type: 'loop',
          condition: 'true',
          max_iterations: 30,
          steps: [
            {
              id: 'twice',
              type: 'skill',
              skill: 'say',
              inputs: { text: '${{ text }}${{ text }}' },
              set: { text: 'twice.text' },
            },
          ],
        },
      ],
      resource_limits: { max_memory_mb: 48 },
      error_handling: { per_step: { first: 'skip' } },
    });
    const { code, run } = await runToEnd(bench, 'after');
    assert.equal(run.error?.code, 'MEMORY_LIMIT', run.reason ?? '');
    assert.equal(code, 8);
    assert.match(run.reason ?? '', /^oom: 48 MB limit, peak 4\d MB, /);
    assert.equal(run.incarnations, 1);
  });

  test('a session that is killed for memory ends the run with the numbers too', async () => {
    bench.script(
      'hog.mjs',
      "const kept = [];\nprocess.stdin.once('data', () => { for (;;) kept.push(Buffer.alloc(8 * 1024 * 1024, 1)); });\n",
    );
    bench.skill('hog', { type: 'code_session', command: process.execPath, args: ['hog.mjs'] });
    bench.workflow('hog', {
      steps: [{ id: 'talk', type: 'skill', skill: 'hog' }],
      resource_limits: { max_memory_mb: 192 },
    });
    const { code, run } = await runToEnd(bench, 'hog');
    assert.equal(code, 8);
    assert.match(run.reason ?? '', /^oom: 192 MB limit, peak 1\d\d MB, step talk$/);
  });
});
