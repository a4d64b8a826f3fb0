import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { InstanceSummary } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

/** So many commands find no supervisor at the same time, and each starts one. */
const COMMANDS = 100;

describe('many first runs at once', { timeout: 300_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: 'hello' });
    bench.workflow('tiny', { steps: [{ id: 'only', type: 'skill', skill: 'say' }] });
  });
  after(() => bench.close());

  test(`${COMMANDS} of them end with one supervisor, and every run completes`, async () => {
    const finished = await Promise.all(
      Array.from({ length: COMMANDS }, () => bench.q('run', 'tiny', '--detach')),
    );
    for (const { status, stderr } of finished) assert.equal(status, 0, stderr);
    const ids = new Set(finished.map(({ stdout }) => stdout.trim()));
    assert.equal(ids.size, COMMANDS);
    // A hundred runs wait for two cores: of each look at least one must have ended within the bound of `eventually`.
    for (let left = COMMANDS; left > 0; )
      left = await eventually('the end of another run', async () => {
        const live = (await bench.json('status')) as InstanceSummary[];
        return live.length < left && { count: live.length };
      }).then(({ count }) => count);
    const all = (await bench.json('status', '--all', '--limit', '200')) as InstanceSummary[];
    assert.deepEqual([...new Set(all.map((instance) => instance.status))], ['completed']);
    assert.deepEqual(new Set(all.map((instance) => instance.id)), ids);
    const ready = readFileSync(join(bench.home, 'log', 'supervisor.log'), 'utf8')
      .split('\n')
      .filter((line) => line.includes('"supervisor is ready"'));
    assert.equal(ready.length, 1);
  });
});
