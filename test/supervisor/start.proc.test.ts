import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { InstanceSummary } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

/** The whole hundred only in a soak: each is two Node processes that start at the same moment. */
const COUNT = process.env['Q_TEST_SOAK'] === '1' ? 100 : 40;

describe('first commands that start together', { timeout: 300_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
  });
  after(() => bench.close());

  test(`${COUNT} runs without a supervisor start exactly one, and all complete`, async (context) => {
    const begin = performance.now();
    const answers = await Promise.all(
      Array.from({ length: COUNT }, () => bench.q('run', 'tiny', '--detach', '--json')),
    );
    const answered = performance.now();
    for (const { status, stderr } of answers) assert.deepEqual([status, stderr], [0, '']);
    const ids = answers.map(({ stdout }) => (JSON.parse(stdout) as { id: string }).id);
    assert.equal(new Set(ids).size, COUNT);
    const all = await eventually(
      'the last end',
      async () => {
        const runs = (await bench.json('status', '--all', '--limit', '1000')) as InstanceSummary[];
        return runs.every((run) => run.ended_at !== null) && runs;
      },
      120_000,
    );
    const spent = performance.now() - begin;
    context.diagnostic(
      `${COUNT} first runs: all accepted after ${Math.round(answered - begin)} ms, all completed after ${Math.round(spent)} ms`,
    );
    assert.deepEqual(all.map((run) => run.id).sort(), ids.sort());
    assert.ok(
      all.every((run) => run.status === 'completed'),
      JSON.stringify(all.filter((run) => run.status !== 'completed')),
    );
    const log = readFileSync(join(bench.home, 'log', 'supervisor.log'), 'utf8')
      .trim()
      .split('\n');
    const starts = log.filter((line) => line.includes('"supervisor is ready"'));
    assert.equal(starts.length, 1);
    assert.match(starts[0] ?? '', new RegExp(`"pid":${await bench.supervisorPid()}[,}]`));
  });
});
