/**
 * Agents under random trouble: supervisor, instance and step processes are killed, runs paused, switches tripped, while
 * persons approve and deny. Whatever falls where, and checked from outside: by what the provider was asked, by what the
 * commands appended to files, and by the audit.
 */
import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { probeLayers } from '../../sandbox/layers.ts';
import { tripSwitch } from '../../src/cli/kill/kill-run.ts';
import { type Client, connect } from '../../src/client/client.ts';
import type { AgentEvent } from '../../src/engine/agent-events.ts';
import { ensureWorkflowError } from '../../src/errors/workflow-error.ts';
import { locateHome } from '../../src/protocol/home.ts';
import { checkPairs } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { foldersOf, hostOf, processesOf, textOf } from '../setup/leftovers.ts';
import { seededRandom } from '../setup/seeded-random.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const ROUNDS = Number(process.env['Q_TEST_ROUNDS'] ?? (process.env['Q_TEST_SOAK'] === '1' ? 100 : 2));
const SEED = Number(process.env['Q_TEST_SEED'] ?? 20_261);
const RUNS = 4;
const TROUBLE_MS = 6_000;
const MAX_ITERATIONS = 5;
const APPROVAL_S = 6;
const STEPS = ['a', 'b'] as const;
/** Nothing is proved by what was not there, or was over, when it was asked for. */
const HARMLESS = [
  'SUPERVISOR_UNREACHABLE',
  'SHUTTING_DOWN',
  'ALREADY_ENDED',
  'APPROVAL_CLOSED',
  'NOT_RESUMABLE',
  'KILL_SWITCH',
  'STORE_BUSY',
];

interface Run {
  readonly id: string;
  readonly tag: string;
}

describe(`agents under random trouble, ${ROUNDS} rounds of seed ${SEED}`, {
  timeout: ROUNDS * 150_000,
  skip: lacks,
}, () => {
  const random = seededRandom(SEED);
  /** Requests by the tag of a run and its step. */
  const requests = new Map<string, number>();
  const done: Record<string, number> = {};
  let desk: AgentBench;
  let isOver = false;

  /** Each command is written once in all runs, so that a line twice is a call twice. */
  const answer = (body: unknown): MockTurn => {
    const tag = /TAG-(\S+?)-END/.exec(JSON.stringify(body))?.[1] ?? 'none';
    const number = (requests.get(tag) ?? 0) + 1;
    requests.set(tag, number);
    const chance = seededRandom(
      SEED + 1000 * number + Buffer.from(tag).reduce((sum, byte) => sum * 31 + byte),
    );
    if (chance() < 0.1) return { text: 'done' };
    const calls = Array.from({ length: 1 + Math.floor(chance() * 3) }, (_, index) => {
      const nap = chance() < 0.3 ? `; sleep 0.${Math.floor(chance() * 9)}` : '';
      const command = `echo ${tag}.${number}.${index} >> ${tag}.txt${nap}`;
      return chance() < 0.5
        ? { name: 'execute_bash', args: { command } }
        : { name: 'exec', args: { argv: ['sh', '-c', command] } };
    });
    // Long enough for a kill to come in the midst of it.
    return chance() < 0.4 ? { calls, fault: { kind: 'slow', bytesPerSecond: 600 } } : { calls };
  };

  before(async () => {
    desk = await openAgentBench(answer);
    const { bench } = desk;
    const approval = { by: ['operator'], timeout_s: APPROVAL_S };
    const rules = [
      { id: 'commands', effect: 'ask', tool: 'execute_bash', approval },
      { id: 'models', effect: 'ask', tool: 'model:*', when: 'step == "both/b"', approval },
    ];
    const policy = { apiVersion: 'policy/v1', id: 'bench', layer: 'user', default: 'allow', rules };
    const folder = join(bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
    writeFileSync(join(folder, 'bench.json'), JSON.stringify(policy), { mode: 0o600 });
    const step = (id: string): object => ({
      ...{ id, type: 'agent', agent: 'helper', async: false },
      inputs: { task: `\${{ "TAG-" + inputs.tag + "${id}-END" }}` },
      guardrails: { max_iterations: MAX_ITERATIONS },
    });
    bench.workflow('pair', {
      inputs: { tag: { type: 'string', required: true } },
      steps: [{ id: 'both', type: 'parallel', wait_for: 'all', steps: STEPS.map(step) }],
    });
    await bench.q('supervisor', 'start');
  });
  after(() => desk.close());

  const home = (): ReturnType<typeof locateHome> => locateHome({ Q_WORKFLOW_HOME: desk.bench.home });
  const caller = () => {
    const userHome = desk.bench.env['HOME'] ?? '';
    return {
      workspace: desk.bench.workspace,
      userHome,
      configHome: join(userHome, '.config'),
      person: 'tester',
    };
  };

  const supervisor = (): number | undefined =>
    readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name) && textOf(`/proc/${name}/cmdline`).includes('supervisor/main'))
      .map(Number)
      .find((pid) => textOf(`/proc/${pid}/environ`).includes(`Q_WORKFLOW_HOME=${desk.bench.home}\0`));

  /** What a call answers; null when nobody was there, or it came too late. */
  async function ask<T>(call: (client: Client) => Promise<T>): Promise<T | null> {
    let client: Client | null = null;
    try {
      client = await connect(home(), 'must_run');
      return await call(client);
    } catch (error) {
      const { code, message } = ensureWorkflowError(error);
      assert.ok(HARMLESS.includes(code), `${code}: ${message}`);
      return null;
    } finally {
      client?.close();
    }
  }

  function kill(what: string, pid: number | undefined): void {
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
      done[what] = (done[what] ?? 0) + 1;
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH');
    }
  }

  async function reviveAll(): Promise<void> {
    while (!isOver) {
      if (supervisor() === undefined) await desk.bench.q('supervisor', 'start');
      await wait(200);
    }
  }

  /** Answers what waits, now and then by two at once; what was told as decided is checked in the end. */
  async function decideAll(decided: Map<string, string>): Promise<void> {
    while (!isOver) {
      const list = { id: null, isPendingOnly: true, limit: 100 };
      for (const { instance, number } of (await ask((client) => client.call('approval.list', list))) ?? []) {
        if (random() < 0.2) continue;
        const status = random() < 0.8 ? 'approved' : 'denied';
        const decision = {
          id: instance,
          which: String(number),
          status,
          reason: null,
          caller: caller(),
        } as const;
        const answers = await Promise.all(
          Array.from({ length: random() < 0.2 ? 2 : 1 }, () =>
            ask((client) => client.call('approval.decide', decision)),
          ),
        );
        const taken = answers.filter((each) => each !== null).length;
        assert.ok(taken <= 1, `${instance} ${number} was decided ${taken} times`);
        if (taken === 1) decided.set(`${instance} ${number}`, status);
      }
      await wait(100 + random() * 300);
    }
  }

  /** Answers what has to stand still from now on: files and counts of requests, as they were when a kill had answered. */
  async function makeTrouble(runs: readonly Run[]): Promise<(() => void)[]> {
    const checks: (() => void)[] = [];
    const until = performance.now() + TROUBLE_MS;
    while (performance.now() < until) {
      await wait(100 + random() * 700);
      const { id, tag } = runs[Math.floor(random() * runs.length)] ?? assert.fail();
      const kind = random();
      if (kind < 0.25) kill('supervisor', supervisor());
      else if (kind < 0.6) kill('host', hostOf(id));
      else if (kind < 0.7) {
        const host = hostOf(id);
        kill(
          'step',
          processesOf(id).find((pid) => pid !== host),
        );
      } else if (kind < 0.85) await ask((client) => client.call('instance.pause', { id, caller: caller() }));
      else checks.push(await trip(id, tag));
    }
    return checks;
  }

  async function trip(id: string, tag: string): Promise<() => void> {
    const isStep = random() < 0.5;
    const scope = isStep ? `step:${id}/both/a` : `instance:${id}`;
    // At the same moment as the death of who carries it out, half of the time.
    const victim = random() < 0.5 ? supervisor() : undefined;
    const death = wait(random() * 50).then(() => kill('supervisor', victim));
    const ended = await tripSwitch(home(), { scope, mode: 'kill', reason: 'random', caller: caller() });
    await death;
    assert.equal(ended.survivors, 0, scope);
    done['trip'] = (done['trip'] ?? 0) + 1;
    const covered = (isStep ? ['a'] : STEPS).map((step) => `${tag}${step}`);
    const look = (): unknown => covered.map((each) => [requests.get(each) ?? 0, linesOf(each)]);
    const then = look();
    return () => assert.deepEqual(look(), then, `${scope}, ended by the ${ended.carried_out_by}`);
  }

  const linesOf = (tag: string): string[] =>
    textOf(join(desk.bench.workspace, `${tag}.txt`))
      .split('\n')
      .filter((line) => line !== '');

  async function ended({ id }: Run): Promise<void> {
    const request = { id, from: null, pins: 'check', caller: caller(), env: {}, modelEnv: {} } as const;
    const look = async (): Promise<boolean> => {
      const { status, ended_at } = await desk.bench.status(id);
      if (status === 'paused') await ask((client) => client.call('instance.resume', request));
      return ended_at !== null && processesOf(id).length + foldersOf(id).length === 0;
    };
    await eventually(`the end of ${id}`, look, 90_000, 200);
  }

  async function checkRun({ id, tag }: Run, decided: ReadonlyMap<string, string>): Promise<void> {
    const events = desk.agentEvents(id);
    for (const step of STEPS) {
      const mine = events.filter(({ path }) => path === `both/${step}`);
      checkPairs(mine);
      const what = `${id} ${step}`;
      const sent = requests.get(`${tag}${step}`) ?? 0;
      const intents = mine.filter(({ type }) => type === 'agent.requested').length;
      assert.ok(sent <= intents && intents <= MAX_ITERATIONS, `${what}: ${sent} of ${intents} requests`);
      const lines = linesOf(`${tag}${step}`);
      assert.deepEqual(lines, [...new Set(lines)], `${what}: a call ran twice`);
      for (const line of lines) assert.notEqual(outcomeOf(mine, line), 'denied', `${what}: ${line}`);
    }
    const answers = await desk.bench.json('approvals', id, '--all');
    for (const { number, status, call, step } of answers as Record<string, string>[]) {
      const told = decided.get(`${id} ${number}`);
      assert.ok(
        status !== 'pending' && (told === undefined || told === status),
        `${id} ${number}: ${status}`,
      );
      if (call === null) continue;
      const intent = events.find((event) => 'call' in event && event.call === call && event.path === step);
      const command = intent?.type === 'agent.tool_called' ? JSON.stringify(intent.args['command']) : '';
      const line = /^"echo (\S+)/.exec(command)?.[1] ?? assert.fail(command);
      const ran = linesOf(`${tag}${step?.at(-1)}`).includes(line);
      assert.ok(!ran || status === 'approved', `${id} ${line} ran and is ${status}`);
    }
  }

  /** Fails where nothing in the journal meant to write that line. */
  function outcomeOf(events: readonly AgentEvent[], line: string): string | undefined {
    const intent = events.find(
      (event) => event.type === 'agent.tool_called' && JSON.stringify(event.args).includes(`echo ${line} `),
    );
    assert.ok(intent?.type === 'agent.tool_called', `${line} has no intent`);
    const end = events.find((event) => event.type === 'agent.tool_ended' && event.call === intent.call);
    return end?.type === 'agent.tool_ended' ? end.outcome : undefined;
  }

  test('no request too many, no call twice, none against a decision, none after a kill, and every run ends', async (t) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const decided = new Map<string, string>();
      const runs: Run[] = [];
      for (let index = 0; index < RUNS; index += 1) {
        const tag = `r${round}n${index}`;
        const id = await desk.start('pair', '--input', `tag=${tag}`, '--approvals', 'wait');
        runs.push({ id, tag });
      }
      isOver = false;
      const helpers = [reviveAll(), decideAll(decided)];
      const checks = await makeTrouble(runs);
      for (const run of runs) await ended(run);
      isOver = true;
      await Promise.all(helpers);
      for (const check of checks) check();
      for (const run of runs) await checkRun(run, decided);
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    }
    t.diagnostic(
      `${JSON.stringify(done)}, ${[...requests.values()].reduce((sum, each) => sum + each, 0)} requests`,
    );
    assert.ok((done['supervisor'] ?? 0) > 0 && (done['host'] ?? 0) > 0, 'it was no trouble');
    assert.ok(readdirSync(desk.bench.workspace).some((name) => /^r\d+n\d+[ab]\.txt$/.test(name)));
  });
});
