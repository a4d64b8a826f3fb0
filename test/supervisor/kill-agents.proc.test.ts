import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { probeLayers } from '../../sandbox/layers.ts';
import { tripSwitch } from '../../src/cli/kill/kill-run.ts';
import type { Client } from '../../src/client/client.ts';
import { locateHome } from '../../src/protocol/home.ts';
import { checkPairs } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { eventually, ROOT } from '../setup/bench-home.ts';
import { connectTo } from '../setup/control.ts';
import { foldersOf, processesOf } from '../setup/leftovers.ts';
import { GEMINI_KEY, placePrograms } from '../setup/other-agents.ts';
import { seededRandom } from '../setup/seeded-random.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const ROUNDS = Number(process.env['Q_TEST_ROUNDS'] ?? (process.env['Q_TEST_SOAK'] === '1' ? 200 : 16));
const SEED = Number(process.env['Q_TEST_SEED'] ?? 20_261_129);

interface World {
  /** Its agent, as a file; null: no agent, but a skill. */
  readonly agent: object | null;
  /** The tool that is at work, where one can be switched off. */
  readonly tool: string | null;
  /** What the model says to its request of that number; null: nobody asks one. */
  readonly turn: ((file: string, number: number) => MockTurn) | null;
}

/** Writes for as long as it is let, deaf and from a child that has left its session. */
const writer = (file: string): string =>
  `trap '' TERM HUP; setsid sh -c 'while :; do echo x >> ${file}.far; done' & i=0; while [ $i -lt 400 ]; do i=$((i+1)); echo x >> ${file}; done`;
const bash = (command: string): { name: string; args: { command: string } } => ({
  name: 'execute_bash',
  args: { command },
});

const WORLDS: Readonly<Record<string, World>> = {
  commands: {
    agent: { tools: ['execute_bash'] },
    tool: 'execute_bash',
    turn: (file, number) => ({
      calls: [bash(`${writer(`${file}.a`)} # ${number}`), bash(`echo ${number} >> ${file}.b`)],
    }),
  },
  drops: {
    agent: { tools: ['execute_bash'] },
    tool: 'execute_bash',
    turn: (file, number) => ({
      text: 'y'.repeat(20 + (number % 7) * 30),
      calls: [bash(`echo ${number} >> ${file}`)],
      fault: { kind: 'slow', bytesPerSecond: 1500 },
    }),
  },
  faults: {
    agent: { tools: ['execute_bash'] },
    tool: null,
    turn: (file, number) =>
      number % 2 === 0
        ? { fault: { kind: 'status', status: 500 } }
        : { calls: [bash(`echo ${number} >> ${file}`)] },
  },
  mcp: {
    agent: {
      tools: ['@busy'],
      mcpServers: { busy: { command: process.execPath, args: ['busy-server.mjs'], timeout: 60_000 } },
    },
    tool: '@busy/work',
    turn: (file, number) => ({ calls: [{ name: 'busy___work', args: { file, number } }] }),
  },
  hooks: {
    agent: {
      tools: ['fs_list', 'execute_bash'],
      hooks: {
        preToolUse: [{ command: writer('hooks-pre'), timeout_ms: 60_000 }],
        postToolUse: [{ command: writer('hooks-post'), timeout_ms: 60_000 }],
      },
    },
    tool: 'hook',
    turn: (file, number) => ({ calls: [bash(`echo ${number} >> ${file}`)] }),
  },
  acp: { agent: { tools: ['*'], driver: 'acp', profile: 'gemini' }, tool: 'execute_bash', turn: null },
  headless: { agent: { tools: ['*'], driver: 'headless', profile: 'q' }, tool: 'search', turn: null },
  conversation: {
    agent: null,
    tool: null,
    turn: (_, number) => ({ text: `poem ${number}`, fault: { kind: 'slow', bytesPerSecond: 4000 } }),
  },
};
const NAMES = Object.keys(WORLDS);

/**
 * Whoever drives the agent, whatever is killed, and when: once the kill has answered no request is sent for what it
 * covers, none of its processes writes another byte, and each intent has its outcome.
 */
describe(`no request and no side effect of an agent after a kill, ${ROUNDS} rounds of seed ${SEED}`, {
  timeout: ROUNDS * 60_000,
  skip: lacks,
}, () => {
  let desk: AgentBench;
  let client: Client;
  let env: Record<string, string>;
  before(async () => {
    desk = await openAgentBench({ turns: [{ text: 'nothing yet' }] });
    const { bench } = desk;
    const bin = placePrograms(bench, [
      ['gemini', 'fake-acp.mjs'],
      ['q', 'fake-chat.mjs'],
    ]);
    env = { PATH: `${bin}:${bench.env['PATH']}` };
    copyFileSync(join(ROOT, 'test/agents/busy-server.mjs'), join(bench.workspace, 'busy-server.mjs'));
    const ask = { toolCallId: 't1', kind: 'execute', title: 'work', rawInput: { command: 'work' } };
    const granted = [
      { update: { toolCallId: 't1', status: 'in_progress' } },
      { spew: 'acp-file' },
      { hang: true },
    ];
    writeFileSync(
      join(bench.workspace, 'acp-script.json'),
      JSON.stringify({
        deaf: true,
        child: true,
        turns: [[{ ask, granted, refused: [{ end: 'end_turn' }] }]],
      }),
    );
    writeFileSync(join(bench.workspace, 'chat-script.json'), JSON.stringify({ spew: 'headless-file' }));
    bench.skill('poem', { type: 'conversation', prompt: 'Write.' });
    for (const [index, { agent }] of Object.values(WORLDS).entries()) {
      if (agent !== null) desk.agent(`helper${index}`, agent);
      if (agent !== null)
        desk.workflow(`world${index}`, { agent: `helper${index}`, guardrails: { max_iterations: 100_000 } });
    }
    const turns = { id: 'a', type: 'loop', condition: 'true', max_iterations: 100_000 };
    bench.workflow(`world${NAMES.indexOf('conversation')}`, {
      steps: [{ ...turns, steps: [{ id: 'say', type: 'skill', skill: 'poem' }] }],
    });
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    client = await connectTo(bench);
  });
  after(async () => {
    client.close();
    await desk.close();
  });

  /** Not the notes of the fakes: an agent may still hear that a tool is switched off. */
  const filesOf = (name: string): Record<string, number> =>
    Object.fromEntries(
      readdirSync(desk.bench.workspace)
        .filter((file) => file.startsWith(`${name}-`) && !/\.jsonl?$/.test(file))
        .map((file) => [file, statSync(join(desk.bench.workspace, file)).size]),
    );

  test('by any scope that covers it, at any time', async () => {
    const random = seededRandom(SEED);
    const home = locateHome({ Q_WORKFLOW_HOME: desk.bench.home });
    const userHome = desk.bench.env['HOME'] ?? '';
    const caller = {
      workspace: desk.bench.workspace,
      userHome,
      configHome: join(userHome, '.config'),
      person: 'tester',
    };
    let escalated = 0;
    const hadWorked: Record<string, number> = {};
    for (let round = 0; round < ROUNDS; round += 1) {
      const index = round % NAMES.length;
      const name = NAMES[index] ?? '';
      const { agent, tool, turn } = WORLDS[name] ?? { agent: null, tool: null, turn: null };
      const kinds = ['instance', 'workflow', 'global', 'step'];
      if (agent !== null) kinds.push('agent');
      if (tool !== null) kinds.push('tool');
      const kind = kinds[Math.floor(random() * kinds.length)] ?? 'global';
      const isEarly = random() < 0.4;
      const pauseMs = Math.floor(random() * (isEarly ? 1500 : 400));
      let number = 0;
      desk.provider.play(() => {
        number += 1;
        return turn?.(`${name}-file`, number) ?? { text: 'nobody asked' };
      });
      const sentBefore = desk.provider.requests.length;
      const sizesBefore = JSON.stringify(filesOf(name));
      const { id } = await client.call('workflow.run', {
        target: `world${index}`,
        caller,
        inputs: {},
        context: {},
        env,
        modelEnv: { ...(desk.env as Record<string, string>), GEMINI_API_KEY: GEMINI_KEY },
      });
      const what = `round ${round}: ${kind} of ${name} (${id}), ${isEarly ? 'early' : 'late'} + ${pauseMs} ms`;
      const hasWorked = (): boolean =>
        desk.provider.requests.length > sentBefore || JSON.stringify(filesOf(name)) !== sizesBefore;
      if (!isEarly) await eventually(`${what} works`, hasWorked);
      await wait(pauseMs);
      const scope = {
        global: 'global',
        workflow: `workflow:world${index}`,
        instance: `instance:${id}`,
        step: `step:${id}/a`,
        agent: `agent:helper${index}`,
        tool: `tool:${tool}`,
      }[kind] as string;
      const done = await tripSwitch(home, { scope, mode: 'kill', reason: what, caller });
      const sent = desk.provider.requests.length;
      const written = filesOf(name);
      assert.deepEqual([done.survivors, done.carried_out_by], [0, 'supervisor'], what);
      // On a busy machine a part may be ended with its run: the instance has 3 s.
      if (done.escalated.length > 0) escalated += 1;
      if (hasWorked()) hadWorked[name] = (hadWorked[name] ?? 0) + 1;
      // An agent that has lost a tool goes on with the others; here it comes to its end.
      if (kind === 'tool') desk.provider.play({ turns: [{ text: 'done' }] });
      const end = await eventually(`${what}: the end`, async () => {
        const now = await client.call('instance.status', { id });
        return now.ended_at !== null && now;
      });
      const isGone = (): boolean => processesOf(id).length === 0 && foldersOf(id).length === 0;
      await eventually(`${what}: its last process and cgroup go`, isGone);
      if (kind === 'tool') assert.ok(['completed', 'failed'].includes(end.status), `${what}: ${end.status}`);
      else
        assert.equal(end.error?.code, 'KILL_SWITCH', `${what}: ${end.status} ${JSON.stringify(end.error)}`);
      if (kind !== 'tool') assert.equal(desk.provider.requests.length, sent, what);
      // A command that a hook had let through may go on when hooks are switched off.
      if (kind !== 'tool' || name !== 'hooks') assert.deepEqual(filesOf(name), written, what);
      checkPairs(desk.agentEvents(id));
      const phrase = kind === 'global' ? 'rearm global' : null;
      await client.call('kill.rearm', { scope, reason: 'next', phrase, caller });
      assert.deepEqual(processesOf(id), [], what);
    }
    // Kills of what never did anything would prove little.
    const atWork = Object.values(hadWorked).reduce((sum, each) => sum + each, 0);
    assert.ok(atWork >= ROUNDS / 3, `only ${atWork} of ${ROUNDS} had done anything`);
    if (ROUNDS >= 5 * NAMES.length) assert.deepEqual(Object.keys(hadWorked).sort(), [...NAMES].sort());
    assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    process.stderr.write(
      `${ROUNDS} kills, ${escalated} of them of a whole run instead; at work before: ${JSON.stringify(hadWorked)}\n`,
    );
  });
});
