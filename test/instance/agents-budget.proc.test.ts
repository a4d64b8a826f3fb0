import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { SUPERVISOR } from '../../src/audit/record.ts';
import type { Arguments, OperationName } from '../../src/store/operations.ts';
import { openWriter } from '../../src/store/writer.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench, pendingCalls, writeLimits } from '../setup/agents.ts';
import { endAfterCrash, endOf, textOf } from '../setup/leftovers.ts';
import { seededRandom } from '../setup/seeded-random.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** A model that never comes to an end, and never asks for the same twice. */
const TURNS: readonly MockTurn[] = Array.from({ length: 20 }, (_, index) => ({
  calls: [{ name: 'execute_bash', args: { command: `echo ${index} | tee -a ran.txt` } }],
  usage: { in: 1000, out: 100 },
}));
/** Of a token, US dollars. */
const PRICE = 0.001;
/** Around each commit of an intent, a permit and an outcome. */
const POINTS = ['instance.append', 'instance.acked', 'supervisor.before_commit', 'supervisor.after_commit'];
const LIMITS = [
  { iterations: 4 },
  { tool_calls: 3 },
  { tokens: 5000 },
  { output_bytes: 1 },
  { cost_usd: 5 },
] as const;
const SEED = Number(process.env['Q_TEST_SEED'] ?? 4711);
const RUNS = Number(process.env['Q_TEST_BUDGET_RUNS'] ?? LIMITS.length);

describe('the limits of a policy', { timeout: 300_000, skip: lacks }, () => {
  test('hold for a run of which the first audit records were pruned', async (t) => {
    const turns = Array.from({ length: 9 }, (_, index) => ({
      calls: [
        { name: 'execute_bash', args: { command: `echo ${index} | tee -a ran.txt` } },
        { name: 'fs_list', args: { path: index === 1 ? 'asked' : `d${index}` } },
      ],
    }));
    const desk = await openAgentBench({ turns, after: 'fail' });
    t.after(() => desk.close());
    const rules = [
      { id: 'ask', effect: 'ask', tool: 'fs_list', path: 'asked' },
      { id: 'few', effect: 'deny', tool: 'fs_list', rate: { per_run: 3 } },
    ];
    const limits = { calls: { execute_bash: { per_run: 3 } } };
    writeLimits(desk.bench, limits, rules);
    desk.workflow('endless', { guardrails: { max_iterations: 7 } });
    const id = await desk.start('endless');
    await pendingCalls(desk, id);
    await desk.bench.q('supervisor', 'stop');
    pruneAll(join(desk.bench.home, 'q-workflow.db'));
    assert.equal((await desk.bench.q('approve', id)).status, 0);
    await endOf(desk.bench, id, 40_000);
    const ran = textOf(join(desk.bench.workspace, 'ran.txt')).trim().split('\n');
    assert.deepEqual(ran, ['0', '1', '2'], 'commands');
    const listed = desk
      .agentEvents(id)
      .flatMap((event) =>
        event.type === 'agent.tool_called' && event.tool === 'fs_list' ? [event.call] : [],
      );
    const denied = desk
      .agentEvents(id)
      .flatMap((event) =>
        event.type === 'agent.tool_ended' && event.outcome === 'denied' ? [event.call] : [],
      );
    // Which rules the pruned calls were about is not known any more: they count for each that has a rate.
    const allowed = listed.filter((call) => !denied.includes(call));
    assert.deepEqual(allowed, ['c1-2', 'c2-2']);
  });
});

/** A model with a price, in place of that of the variables. */
function priceModel({ bench, provider }: AgentBench): void {
  const perMillion = PRICE * 1_000_000;
  const model = {
    provider: 'openai-compatible',
    model: 'mock-model',
    base_url: `${provider.url}/v1`,
    price: { input_per_million: perMillion, output_per_million: perMillion },
  };
  const file = join(bench.env['HOME'] ?? '', '.config', 'q-workflow', 'config.json');
  writeFileSync(file, JSON.stringify({ models: { default: 'priced', priced: model } }));
}

/** As `audit prune` does, days later. */
function pruneAll(file: string): void {
  const writer = openWriter(file, 'boot');
  const at = Date.now();
  const run = <K extends OperationName>(name: K, args: Arguments<K>): void => {
    const [reply] = writer.run([{ id: 0, name, args }]);
    assert.ok(reply !== undefined && 'answer' in reply && reply.answer !== null, JSON.stringify(reply));
  };
  run('audit.checkpoint', { at: at + 86_400_000 });
  run('audit.prune', { before: at + 60_000, at: at + 86_400_000, actor: SUPERVISOR });
  writer.close();
}

describe('the limits of a policy hold over crashes', { timeout: 900_000, skip: lacks }, () => {
  const random = seededRandom(SEED);
  for (let index = 0; index < RUNS; index += 1) {
    const limits = LIMITS[index % LIMITS.length] ?? LIMITS[0];
    const point = POINTS[Math.floor(random() * POINTS.length)] ?? '';
    const count = 4 + Math.floor(random() * 10);
    test(`${JSON.stringify(limits)} with a crash at ${point} ${count}`, async (t) => {
      const desk = await openAgentBench({ turns: TURNS, after: 'fail' });
      t.after(() => desk.close());
      writeLimits(desk.bench, limits);
      priceModel(desk);
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
      const allowed =
        'tokens' in limits ? limits.tokens : 'cost_usd' in limits ? limits.cost_usd / PRICE : null;
      if (allowed !== null) {
        let spent = 0;
        for (const event of events) {
          if (event.type === 'agent.requested') assert.ok(spent + event.estimate.in <= allowed, shown);
          if (event.type === 'agent.answered') spent += event.usage.in + event.usage.out;
        }
        assert.ok(spent > 0 && spent <= allowed, shown);
        assert.equal(run.error?.code, 'AGENT_LIMIT', shown);
      }
      assert.notEqual(run.error, null);
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    });
  }
});
