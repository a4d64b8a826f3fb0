import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { ApprovalDocument } from '../../src/protocol/approval-control.ts';
import { checkPairs } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { endAfterCrash, hostOf, textOf } from '../setup/leftovers.ts';
import { seededRandom } from '../setup/seeded-random.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** What a run may use, by whom it is said, and whether what it has used is within. */
interface Budget {
  readonly name: string;
  readonly limits?: object;
  readonly rules?: readonly object[];
  readonly guardrails?: object;
  readonly most: { readonly requests?: number; readonly commands?: number; readonly tokens?: number };
}

/** Each answer makes two calls and uses 120 tokens. */
const BUDGETS: readonly Budget[] = [
  { name: 'max_iterations', guardrails: { max_iterations: 5 }, most: { requests: 5, commands: 8 } },
  { name: 'max_tool_calls', guardrails: { max_tool_calls: 5 }, most: { commands: 5 } },
  // Checked before a request, so at most one request late.
  { name: 'max_tokens', guardrails: { max_tokens: 3000 }, most: { tokens: 3000 + 120 } },
  { name: 'iterations', limits: { iterations: 5 }, most: { requests: 5, commands: 10 } },
  { name: 'tool_calls', limits: { tool_calls: 5 }, most: { commands: 5 } },
  { name: 'tokens', limits: { tokens: 3000 }, most: { tokens: 3000 + 120 } },
  { name: 'output_bytes', limits: { output_bytes: 12 }, most: { commands: 8 } },
  { name: 'calls', limits: { calls: { shell: { per_run: 5 } } }, most: { commands: 5 } },
  {
    name: 'the rate of a rule',
    rules: [{ id: 'few', effect: 'deny', tool: 'execute_bash', rate: { per_run: 5 } }],
    most: { commands: 5 },
  },
];

const KINDS = [
  'kill -9 run',
  'kill -9 supervisor',
  'pause',
  'stop',
  'stop --force',
  'new definition',
] as const;
const SEED = Number(process.env['Q_TEST_SEED'] ?? 20_261_130);
const RUNS = Number(process.env['Q_TEST_BUDGET_RUNS'] ?? (process.env['Q_TEST_SOAK'] === '1' ? 45 : 3));

async function deskFor(t: TestContext, budget: Budget): Promise<AgentBench> {
  const answer = (number: number): MockTurn => ({
    calls: ['a', 'b'].map((letter) => ({
      name: 'execute_bash',
      // Some wait for a person.
      args: {
        command: `echo ${number}${letter} | tee -a ran.txt${number % 3 === 2 && letter === 'b' ? ' asked' : ''}`,
      },
    })),
    usage: { in: 100, out: 20 },
  });
  let number = 0;
  const desk = await openAgentBench(() => {
    number += 1;
    return answer(number);
  });
  t.after(() => desk.close());
  const ask = { id: 'ask', effect: 'ask', tool: 'execute_bash', when: "args.command.endsWith('asked')" };
  const policy = {
    apiVersion: 'policy/v1',
    id: 'limits',
    layer: 'user',
    default: 'allow',
    rules: [ask, ...(budget.rules ?? [])],
    ...(budget.limits === undefined ? {} : { limits: budget.limits }),
  };
  const folder = join(desk.bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  writeFileSync(join(folder, 'limits.json'), JSON.stringify(policy), { mode: 0o600 });
  desk.workflow('endless', { guardrails: { max_iterations: 14, ...budget.guardrails } });
  return desk;
}

/** One disturbance of a run; it goes on after it. */
async function disturb(desk: AgentBench, id: string, kind: (typeof KINDS)[number]): Promise<void> {
  const { bench, env } = desk;
  if (kind === 'kill -9 run') {
    const host = hostOf(id);
    if (host !== undefined) process.kill(host, 'SIGKILL');
  } else if (kind === 'kill -9 supervisor') {
    process.kill(await bench.supervisorPid(), 'SIGKILL');
  } else if (kind === 'pause') {
    await bench.q('pause', id);
    await bench.qWith(env, 'resume', id, '--detach');
  } else {
    await bench.q('stop', id, ...(kind === 'stop --force' ? ['--force'] : []));
    const isNew = kind === 'new definition';
    if (isNew) {
      const file = join(bench.workspace, '.amazonq', 'workflows', 'endless.json');
      const old = JSON.parse(readFileSync(file, 'utf8')) as { description?: string };
      writeFileSync(file, JSON.stringify({ ...old, description: `${old.description ?? ''}+` }));
    }
    await eventually('it has ended', async () => (await bench.status(id)).ended_at !== null);
    await bench.qWith(env, 'resume', id, '--detach', ...(isNew ? ['--definition', 'new'] : []));
  }
}

/**
 * Whatever happens to a run, and as often as it happens: no budget is exceeded, none begins anew. People approve what
 * waits; at the end the run is opened again and again.
 */
describe(`a budget over several crashes, pauses, stops and approvals, seed ${SEED}`, {
  timeout: RUNS * 240_000,
  skip: lacks,
}, () => {
  const random = seededRandom(SEED);
  for (let index = 0; index < RUNS; index += 1) {
    const budget = BUDGETS[(index + Math.floor(SEED)) % BUDGETS.length] ?? BUDGETS[0];
    const plan = Array.from({ length: 4 }, () => KINDS[Math.floor(random() * KINDS.length)] ?? 'pause');
    const moments = plan.map(() => random());
    test(`${index}: ${budget?.name} over ${plan.join(', ')}`, async (t) => {
      assert.ok(budget !== undefined);
      const desk = await deskFor(t, budget);
      const id = await desk.start('endless');
      const seen: string[] = [];
      const approveAll = async (): Promise<void> => {
        const waiting = (await desk.bench.json('approvals', id)) as ApprovalDocument[];
        for (const { call } of waiting) if (call !== null) await desk.bench.q('approve', id, call);
      };
      for (const [at, kind] of plan.entries()) {
        const wanted = desk.provider.requests.length + ((moments[at] ?? 0) < 0.5 ? 0 : 1);
        await eventually('it comes on, or ends', async () => {
          await approveAll();
          return desk.provider.requests.length >= wanted || (await desk.bench.status(id)).ended_at !== null;
        });
        if ((await desk.bench.status(id)).ended_at !== null) break;
        await disturb(desk, id, kind);
        seen.push(kind);
      }
      await eventually(
        'the end',
        async () => {
          await approveAll();
          return (await desk.bench.status(id)).ended_at !== null;
        },
        90_000,
      );
      // A person opens it again: the switch that was tripped by itself has to be armed first.
      for (let again = 0; again < 2; again += 1) {
        await desk.bench.q('rearm', `step:${id}/a`, '--reason', 'looked at it');
        await desk.bench.qWith(desk.env, 'resume', id, '--detach');
        await eventually('the end', async () => {
          await approveAll();
          return (await desk.bench.status(id)).ended_at !== null;
        });
      }
      const run = await endAfterCrash(desk.bench, id);
      const events = desk.agentEvents(id);
      const ran = textOf(join(desk.bench.workspace, 'ran.txt'))
        .split('\n')
        .filter((line) => line !== '');
      const usage = events.flatMap((event) =>
        event.type === 'agent.answered' || event.type === 'agent.request_failed'
          ? [event.usage.in + event.usage.out]
          : [],
      );
      const used = {
        requests: desk.provider.requests.length,
        commands: ran.length,
        tokens: usage.reduce((sum, each) => sum + each, 0),
      };
      const what = JSON.stringify({ seen, used, error: run.error });
      for (const key of ['requests', 'commands', 'tokens'] as const)
        assert.ok(used[key] <= (budget.most[key] ?? Number.POSITIVE_INFINITY), `${key}: ${what}`);
      // No command has run twice, and none without its intent.
      assert.equal(new Set(ran).size, ran.length, ran.join(' '));
      const intents = JSON.stringify(events.filter(({ type }) => type === 'agent.tool_called'));
      for (const line of ran) assert.ok(intents.includes(`echo ${line} `), `${line} has no intent`);
      const requested = events.filter(({ type }) => type === 'agent.requested').length;
      assert.ok(used.requests <= requested, `${requested} intents: ${what}`);
      assert.ok(used.requests > 0 && run.status === 'failed', what);
      checkPairs(events);
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    });
  }
});
