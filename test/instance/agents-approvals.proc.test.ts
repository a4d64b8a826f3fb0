import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { lines } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench, pendingCalls } from '../setup/agents.ts';
import { eventually, ROOT } from '../setup/bench-home.ts';
import { endAfterCrash, endOf, hostOf, outputsOf, processesOf, textOf } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const ASK_SHELL = { id: 'ask-shell', effect: 'ask', tool: 'execute_bash', reason: 'shells are looked at' };
const bash = (command: string): { name: string; args: { command: string } } => ({
  name: 'execute_bash',
  args: { command },
});

async function deskWith(
  t: TestContext,
  turns: readonly MockTurn[],
  rule: object = ASK_SHELL,
): Promise<AgentBench> {
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  writeRules(desk, [rule]);
  desk.workflow('one', { guardrails: { max_iterations: 3 } });
  return desk;
}

function writeRules({ bench }: AgentBench, rules: readonly object[]): void {
  const folder = join(bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  const policy = { apiVersion: 'policy/v1', id: 'asks', layer: 'user', default: 'allow', rules };
  writeFileSync(join(folder, 'asks.json'), JSON.stringify(policy), { mode: 0o600 });
}

function letGo(desk: AgentBench, id: string): Promise<true> {
  return eventually(
    'its process is gone',
    async () => (await desk.bench.status(id)).pid === null && processesOf(id).length === 0,
  );
}

describe('calls of agents that a person has to approve', { timeout: 300_000, skip: lacks }, () => {
  test('an approved call is run once, as it was asked; no request is sent meanwhile, and none is counted twice', async (t) => {
    const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'done' }]);
    const id = await desk.start('one');
    const [asked] = await pendingCalls(desk, id);
    await letGo(desk, id);
    assert.deepEqual(
      [asked?.kind, asked?.what, asked?.agent, asked?.call, asked?.args, asked?.rules],
      ['tool', 'execute_bash', 'helper', 'c1-1', { command: 'echo ran >> ran.txt' }, ['user/asks#ask-shell']],
    );
    const ran = join(desk.bench.workspace, 'ran.txt');
    assert.deepEqual([textOf(ran), desk.provider.requests.length], ['', 1]);
    assert.equal((await desk.bench.q('approve', id, 'c1-1')).status, 0);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(textOf(ran), 'ran\n');
    assert.deepEqual(lines(desk.agentEvents(id)), [
      'requested 1',
      'answered 1 tool-calls',
      'tool_called c1-1 execute_bash',
      'tool_ended c1-1 ok',
      'requested 2',
      'answered 2 stop',
    ]);
    assert.deepEqual([outputsOf(run, 'a')['iterations'], desk.provider.requests.length], [2, 2]);
  });

  test('a denied call is not run; the agent is told who and why, and goes on', async (t) => {
    const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'understood' }]);
    const id = await desk.start('one');
    await pendingCalls(desk, id);
    await desk.bench.q('deny', id, '--reason', 'use the queue');
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(textOf(join(desk.bench.workspace, 'ran.txt')), '');
    assert.match(
      JSON.stringify(desk.provider.requests[1]?.body),
      /denied: person \S+ denied it: use the queue/,
    );
  });

  test('of several calls the others are run; each approval frees its own call alone', async (t) => {
    const calls = [bash('echo 1 >> one.txt'), { name: 'fs_list' }, bash('echo 2 >> two.txt')];
    const desk = await deskWith(t, [{ calls }, { text: 'done' }]);
    const id = await desk.start('one');
    const both = await pendingCalls(desk, id, 2);
    await letGo(desk, id);
    assert.deepEqual(
      both.map(({ call }) => call),
      ['c1-1', 'c1-3'],
    );
    assert.ok(lines(desk.agentEvents(id)).includes('tool_ended c1-2 ok'));
    const file = (name: string): string => textOf(join(desk.bench.workspace, name));
    await desk.bench.q('approve', id, '2');
    await eventually('the third call ran', () => file('two.txt') === '2\n');
    const [left] = await pendingCalls(desk, id, 1);
    assert.deepEqual([left?.number, left?.call], [1, 'c1-1']);
    await letGo(desk, id);
    assert.equal(file('one.txt'), '');
    await desk.bench.q('approve', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual([file('one.txt'), file('two.txt')], ['1\n', '2\n']);
    assert.equal(desk.provider.requests.length, 2);
  });

  test('without an approver it is denied at once; a rule that names one waits', async (t) => {
    const turns = [{ calls: [bash('true')] }, { text: 'done' }];
    const desk = await deskWith(t, [...turns, ...turns]);
    const { run } = await desk.run('one');
    assert.ok(lines(desk.agentEvents(run.id)).includes('tool_ended c1-1 denied'));
    const named = await deskWith(t, turns, { ...ASK_SHELL, approval: { by: ['operator'], timeout_s: 1 } });
    const late = await named.run('one');
    assert.equal(late.run.status, 'completed', JSON.stringify(late.run.error));
    assert.match(JSON.stringify(named.provider.requests[1]?.body), /denied: nobody approved it within 1 s/);
  });

  test('waiting is no working time: neither of the run nor of the agent', async (t) => {
    const desk = await deskWith(t, [{ calls: [bash('true')] }, { text: 'done' }]);
    desk.workflow(
      'brief',
      { guardrails: { max_execution_time: 4 } },
      { resource_limits: { max_execution_time: 6 } },
    );
    const id = await desk.start('brief');
    const [asked] = await pendingCalls(desk, id);
    await letGo(desk, id);
    const since = Date.parse(asked?.requested_at ?? '');
    await eventually('more time than both limits has passed', () => Date.now() - since > 6500, 10_000, 200);
    await desk.bench.q('approve', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
  });

  test('the start of an agent and of each of its servers is asked for by itself', async (t) => {
    const rule = { id: 'ask-start', effect: 'ask', tool: ['spawn:helper', 'spawn:@calc', 'spawn:@more'] };
    const desk = await deskWith(t, [{ text: 'done' }], rule);
    copyFileSync(join(ROOT, 'test/agents/mcp-server.mjs'), join(desk.bench.workspace, 'server.mjs'));
    const server = { command: process.execPath, args: ['server.mjs'] };
    desk.agent('helper', { tools: ['@calc', '@more'], mcpServers: { calc: server, more: server } });
    const id = await desk.start('one');
    const asked: string[] = [];
    for (const number of [1, 2, 3]) {
      const [only] = await pendingCalls(desk, id);
      assert.equal(only?.number, number);
      asked.push(only?.what ?? '');
      await letGo(desk, id);
      assert.equal(desk.provider.requests.length, 0);
      await desk.bench.q('approve', id, String(number));
    }
    assert.deepEqual(asked.sort(), ['@calc', '@more', 'helper']);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(desk.provider.requests.length, 1);
  });

  test('a request to the model may have to be approved, and counts once', async (t) => {
    const rule = { id: 'ask-model', effect: 'ask', tool: 'model:*' };
    const desk = await deskWith(t, [{ text: 'done' }], rule);
    const id = await desk.start('one');
    const [asked] = await pendingCalls(desk, id);
    assert.equal(asked?.kind, 'model');
    await letGo(desk, id);
    assert.equal(desk.provider.requests.length, 0);
    await desk.bench.q('approve', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual([outputsOf(run, 'a')['iterations'], desk.provider.requests.length], [1, 1]);
  });

  test('an approved request that was lost with its process is spent: the next one is asked for anew', async (t) => {
    const rule = { id: 'ask-model', effect: 'ask', tool: 'model:*' };
    const silent: MockTurn = { text: 'late', fault: { kind: 'hang_before_headers' } };
    const desk = await deskWith(t, [silent, silent, silent, silent], rule);
    const id = await desk.start('one');
    for (let count = 1; count <= 3; count += 1) {
      const [asked] = await pendingCalls(desk, id);
      assert.equal(asked?.number, count);
      await desk.bench.q('approve', id);
      await desk.provider.whenAsked(count);
      process.kill(await eventually('its process', () => hostOf(id)), 'SIGKILL');
    }
    const run = await endOf(desk.bench, id);
    assert.equal(run.error?.code, 'AGENT_LIMIT', JSON.stringify(run.error));
    assert.equal(desk.provider.requests.length, 3);
    assert.deepEqual(
      lines(desk.agentEvents(id)),
      [1, 2, 3].map((each) => `requested ${each}`),
    );
  });

  test('a call that needs no approval any more when it is approved is not run again after a crash either', async (t) => {
    const work = bash('echo ran >> ran.txt; sleep 60');
    const desk = await deskWith(t, [{ calls: [work] }, { text: 'done' }]);
    const id = await desk.start('one');
    await pendingCalls(desk, id);
    await letGo(desk, id);
    writeRules(desk, []);
    assert.equal((await desk.bench.q('approve', id)).status, 0);
    const ran = join(desk.bench.workspace, 'ran.txt');
    await eventually('it runs', () => textOf(ran) !== '');
    process.kill(await eventually('its process', () => hostOf(id)), 'SIGKILL');
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(textOf(ran), 'ran\n');
    assert.ok(lines(desk.agentEvents(id)).includes('tool_ended c1-1 interrupted'));
  });

  test('a kill switch that is tripped meanwhile holds what is approved; the open call gets its outcome', async (t) => {
    const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'done' }]);
    const id = await desk.start('one');
    await pendingCalls(desk, id);
    await letGo(desk, id);
    await desk.bench.q('kill', 'tool:execute_bash', '--reason', 'test');
    await desk.bench.q('approve', id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(textOf(join(desk.bench.workspace, 'ran.txt')), '');
    assert.ok(lines(desk.agentEvents(id)).includes('tool_ended c1-1 denied'));
  });

  test('a run that is stopped while it waits leaves no intent without an outcome', async (t) => {
    const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'done' }]);
    const id = await desk.start('one');
    await pendingCalls(desk, id);
    await letGo(desk, id);
    await desk.bench.q('stop', id);
    assert.equal((await endOf(desk.bench, id)).status, 'stopped');
    assert.equal(lines(desk.agentEvents(id)).at(-1), 'tool_ended c1-1 denied');
    assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
  });
});

/** Where a crash could run a call twice, or never, or ask twice. */
const POINTS = [
  ['instance.append', 5],
  ['instance.append', 6],
  ['instance.acked', 6],
  ['supervisor.before_commit', 5],
  ['supervisor.before_commit', 6],
  ['supervisor.before_commit', 7],
  ['supervisor.after_commit', 5],
  ['supervisor.after_commit', 6],
  ['supervisor.after_commit', 7],
  ['supervisor.after_commit', 8],
  ['supervisor.after_exit_record', 1],
  ['supervisor.launch_committed', 2],
  ['supervisor.spawned', 2],
] as const;

describe('a crash around an approval', { timeout: 600_000, skip: lacks }, () => {
  for (const [point, count] of POINTS)
    test(`at ${point} ${count}: asked once, run once at most, and never lost`, async (t) => {
      const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'done' }]);
      await desk.bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:${count}` }, 'supervisor', 'start');
      const id = await desk.start('one');
      const [asked] = await pendingCalls(desk, id);
      assert.equal(asked?.number, 1);
      // The supervisor may die under the command: then nobody heard it, or it was the last that was heard.
      await eventually('it is approved', async () => {
        const { status, stderr } = await desk.bench.q('approve', id, '1');
        return status === 0 || stderr.includes('approved by person');
      });
      const run = await endAfterCrash(desk.bench, id);
      assert.equal(run.status, 'completed', JSON.stringify(run.error));
      const events = lines(desk.agentEvents(id));
      const ran = textOf(join(desk.bench.workspace, 'ran.txt'));
      const ends = events.filter((line) => line.startsWith('tool_ended'));
      assert.equal(events.filter((line) => line.startsWith('tool_called')).length, 1, events.join('\n'));
      assert.deepEqual(ends.length, 1, events.join('\n'));
      // Interrupted after its permit: then nobody knows, and it may have run.
      assert.ok(
        ends[0] === 'tool_ended c1-1 ok' ? ran === 'ran\n' : ['', 'ran\n'].includes(ran),
        `${ends.join()} ${ran}`,
      );
      assert.ok(ends[0]?.endsWith(' ok') || ends[0]?.endsWith(' interrupted'), String(ends));
      assert.ok(desk.provider.requests.length <= 3);
      assert.equal(((await desk.bench.json('approvals', id, '--all')) as unknown[]).length, 1);
      assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
    });
});
