import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { openAgentBench } from '../setup/agents.ts';
import { endAfterCrash, textOf } from '../setup/leftovers.ts';
import { seededRandom } from '../setup/seeded-random.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** A model that never comes to an end, and never asks for the same twice. */
const TURNS: readonly MockTurn[] = Array.from({ length: 20 }, (_, index) => ({
  calls: [{ name: 'execute_bash', args: { command: `echo ${index} | tee -a ran.txt` } }],
}));
/** Around each commit of an intent, a permit and an outcome. */
const POINTS = ['instance.append', 'instance.acked', 'supervisor.before_commit', 'supervisor.after_commit'];
const LIMITS = [{ iterations: 4 }, { tool_calls: 3 }, { tokens: 500 }, { output_bytes: 1 }] as const;
const SEED = Number(process.env['Q_TEST_SEED'] ?? 4711);
const RUNS = Number(process.env['Q_TEST_BUDGET_RUNS'] ?? LIMITS.length);

describe('the limits of a policy hold over crashes', { timeout: 900_000, skip: lacks }, () => {
  const random = seededRandom(SEED);
  for (let index = 0; index < RUNS; index += 1) {
    const limits = LIMITS[index % LIMITS.length] ?? LIMITS[0];
    const point = POINTS[Math.floor(random() * POINTS.length)] ?? '';
    const count = 4 + Math.floor(random() * 10);
    test(`${JSON.stringify(limits)} with a crash at ${point} ${count}`, async (t) => {
      const desk = await openAgentBench({ turns: TURNS, after: 'fail' });
      t.after(() => desk.close());
      const folder = join(desk.bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
      const policy = {
        apiVersion: 'policy/v1',
        id: 'limits',
        layer: 'user',
        default: 'allow',
        rules: [],
        limits,
      };
      writeFileSync(join(folder, 'limits.json'), JSON.stringify(policy), { mode: 0o600 });
      desk.workflow('endless', { guardrails: { max_iterations: 12 } });
      await desk.bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:${count}` }, 'supervisor', 'start');
      const id = await desk.start('endless');
      const run = await endAfterCrash(desk.bench, id);
      assert.equal(run.status, 'failed', JSON.stringify(run));
      const events = desk.agentEvents(id);
      const shown = JSON.stringify([run.error, events.map(({ type }) => type)]);
      const requested = events.filter(({ type }) => type === 'agent.requested').length;
      const called = events.filter(({ type }) => type === 'agent.tool_called').length;
      const ran = textOf(join(desk.bench.workspace, 'ran.txt')).split('\n').length - 1;
      // A request has its intent first; one that was never sent counts all the same.
      assert.ok(desk.provider.requests.length <= requested, shown);
      assert.ok(ran <= called, shown);
      if ('iterations' in limits) assert.ok(desk.provider.requests.length <= limits.iterations, shown);
      if ('tool_calls' in limits) assert.ok(ran <= limits.tool_calls, shown);
      if ('output_bytes' in limits) assert.ok(ran <= 2, shown);
      if ('tokens' in limits) {
        let spent = 0;
        for (const event of events) {
          if (event.type === 'agent.requested') assert.ok(spent < limits.tokens, shown);
          if (event.type === 'agent.answered') spent += event.usage.in + event.usage.out;
        }
      }
      assert.notEqual(run.error, null);
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    });
  }
});
