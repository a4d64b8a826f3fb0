import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { runToEnd } from '../setup/leftovers.ts';

describe('values that grow', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    bench.skill('read', { type: 'code_inline', command: 'wc', args: ['-c'] });
  });
  after(() => bench.close());

  /** Doubles the text in the context so many times. */
  const grow = (turns: number): object => ({
    id: 'grow',
    type: 'loop',
    condition: 'true',
    max_iterations: turns,
    on_limit: 'continue',
    steps: [
      {
        id: 'twice',
        type: 'skill',
        skill: 'say',
        inputs: { text: '${{ text }}${{ text }}' },
        set: { text: 'twice.text' },
      },
    ],
  });

  test('a value too large to be kept fails its step, and the journal stays short', async () => {
    bench.workflow('endless', {
      context: { mutable: { text: 'x'.repeat(1024) } },
      steps: [grow(30)],
      resource_limits: { max_memory_mb: 3000, max_execution_time: 60 },
    });
    const { code, run } = await runToEnd(bench, 'endless');
    assert.equal(run.error?.code, 'VALUE_TOO_LARGE', run.reason ?? '');
    assert.equal(code, 1);
    assert.equal(run.incarnations, 1);
    const longest = Math.max(...bench.journal(run.id).map((entry) => JSON.stringify(entry).length));
    assert.ok(longest < 300_000, `${longest} characters in one event`);
  });

  test('many steps at once may each take megabytes', async () => {
    bench.workflow('wide', {
      context: { mutable: { text: 'x'.repeat(100 * 1024) } },
      steps: [
        grow(5),
        {
          id: 'all',
          type: 'parallel',
          steps: Array.from({ length: 30 }, (_, n) => ({
            id: `s${n}`,
            type: 'skill',
            skill: 'read',
            inputs: { text: 'context.text' },
            outputs: ['length'],
          })),
        },
      ],
      resource_limits: {
        max_memory_mb: 2000,
        max_execution_time: 60,
        max_concurrent_steps: 30,
        max_cpu_percent: 200,
      },
    });
    const { code, run } = await runToEnd(bench, 'wide');
    assert.equal(code, 0, run.reason ?? '');
    const read = run.steps.filter(({ id }) => id.startsWith('s'));
    assert.equal(read.length, 30);
    for (const { outputs } of read)
      assert.ok(Number((outputs as { length: string }).length) > 32 * 100 * 1024);
  });
});
