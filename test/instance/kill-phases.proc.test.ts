/** A kill in each phase of an agent's step, by each scope that covers it; and decisions that come twice or too late. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench, pendingCalls } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { endOf, processesOf, textOf } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const bash = (command: string): { name: string; args: { command: string } } => ({
  name: 'execute_bash',
  args: { command },
});

async function deskWith(
  t: TestContext,
  turns: readonly MockTurn[],
  rules: readonly object[] = [],
): Promise<AgentBench> {
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  const folder = join(desk.bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  const policy = { apiVersion: 'policy/v1', id: 'more', layer: 'user', default: 'allow', rules };
  writeFileSync(join(folder, 'more.json'), JSON.stringify(policy), { mode: 0o600 });
  desk.workflow('one', { guardrails: { max_iterations: 6 } });
  return desk;
}

const ASK = { id: 'ask', effect: 'ask', tool: 'execute_bash' };

interface Phase {
  readonly name: string;
  readonly turns: readonly MockTurn[];
  readonly rules?: readonly object[];
  /** Resolves when the run is in the phase. */
  readonly reached: (desk: AgentBench, id: string) => Promise<unknown>;
}

const PHASES: readonly Phase[] = [
  {
    name: 'a request that gets no answer',
    turns: [{ text: 'x', fault: { kind: 'hang_before_headers' } }, { text: 'late' }],
    reached: (desk) => eventually('a request', () => desk.provider.requests.length === 1),
  },
  {
    name: 'an answer that stops midway',
    turns: [{ calls: [bash('echo ran >> ran.txt')], fault: { kind: 'hang_midway' } }, { text: 'late' }],
    reached: (desk) => eventually('a request', () => desk.provider.requests.length === 1),
  },
  {
    name: 'a tool that runs',
    turns: [{ calls: [bash('echo up >> up.txt; sleep 100; echo ran >> ran.txt')] }, { text: 'late' }],
    reached: (desk) => eventually('the tool', () => textOf(join(desk.bench.workspace, 'up.txt')) === 'up\n'),
  },
  {
    name: 'a call that waits for a person',
    turns: [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'late' }],
    rules: [ASK],
    reached: (desk, id) => pendingCalls(desk, id),
  },
];

const SCOPES: readonly ((id: string) => string)[] = [
  (id) => `instance:${id}`,
  (id) => `step:${id}/a`,
  () => 'agent:helper',
  () => 'workflow:one',
  () => 'global',
];

describe('a kill', { timeout: 300_000, skip: lacks }, () => {
  for (const [index, phase] of PHASES.entries())
    for (const scopeOf of [SCOPES[index % 2] ?? SCOPES[0], SCOPES[2 + (index % 3)]])
      test(`${scopeOf?.('ID')}, in the phase of ${phase.name}`, async (t) => {
        const desk = await deskWith(t, phase.turns, phase.rules);
        const id = await desk.start('one');
        await phase.reached(desk, id);
        const scope = scopeOf?.(id) ?? '';
        const sent = desk.provider.requests.length;
        const killed = await desk.bench.q('kill', scope, '--reason', 'test');
        assert.equal(killed.status, 0, killed.stderr);
        await eventually('its processes are gone', () => processesOf(id).length === 0);
        assert.equal(desk.provider.requests.length, sent, 'no request after the kill');
        // What was asked for before is worth nothing now.
        const late = await desk.bench.q('approve', id);
        const run = await endOf(desk.bench, id);
        assert.notEqual(run.status, 'completed', `${late.status} ${late.stdout}`);
        assert.equal(textOf(join(desk.bench.workspace, 'ran.txt')), '');
        assert.equal(desk.provider.requests.length, sent);
        const resumed = await desk.bench.qWith(desk.env, 'resume', id);
        const again =
          scope.startsWith('step:') || scope.startsWith('agent:') ? await endOf(desk.bench, id) : null;
        if (again === null) assert.equal(resumed.status, 6, `${resumed.status} ${resumed.stderr}`);
        else assert.notEqual(again.status, 'completed');
        assert.equal(desk.provider.requests.length, sent, 'no request of a resumed run');
        const word = scope === 'global' ? ['--confirm', 'rearm global'] : [];
        assert.equal((await desk.bench.q('rearm', scope, ...word)).status, 2, 'a reason is needed');
        assert.equal((await desk.bench.q('rearm', scope, '--reason', ' ', ...word)).status, 2, 'a real one');
        assert.equal((await desk.bench.q('rearm', scope, '--reason', 'done', ...word)).status, 0);
        assert.equal(desk.provider.requests.length, sent, 'nothing is resumed by itself');
        assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
      });
});

describe('a decision', { timeout: 300_000, skip: lacks }, () => {
  test('counts once: a second one, and one of the other kind, are refused', async (t) => {
    const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'done' }], [ASK]);
    const id = await desk.start('one');
    await pendingCalls(desk, id);
    assert.equal((await desk.bench.q('deny', id, '--reason', 'no')).status, 0);
    const [approve, deny] = [await desk.bench.q('approve', id, '1'), await desk.bench.q('deny', id, '1')];
    assert.ok(approve.status !== 0 && deny.status !== 0, `${approve.stdout} ${deny.stdout}`);
    await endOf(desk.bench, id);
    assert.equal(textOf(join(desk.bench.workspace, 'ran.txt')), '');
  });

  test('is for one call: the same call again, and one that differs in a letter, are asked for anew', async (t) => {
    const desk = await deskWith(
      t,
      [
        { calls: [bash('echo ran >> ran.txt')] },
        { calls: [bash('echo ran >> ran.txt')] },
        { calls: [bash('echo  ran >> ran.txt')] },
        { text: 'done' },
      ],
      [ASK],
    );
    const id = await desk.start('one');
    await pendingCalls(desk, id);
    assert.equal((await desk.bench.q('approve', id)).status, 0);
    const [second] = await pendingCalls(desk, id);
    assert.equal(second?.call, 'c2-1');
    assert.notEqual((await desk.bench.q('approve', id, 'c1-1')).status, 0, 'the old one is over');
    assert.equal((await desk.bench.q('approve', id, 'c2-1')).status, 0);
    const [third] = await eventually('the third', async () => {
      const all = await pendingCalls(desk, id);
      return all[0]?.call === 'c3-1' && all;
    });
    assert.ok(third);
    assert.equal((await desk.bench.q('deny', id)).status, 0);
    await endOf(desk.bench, id);
    assert.equal(textOf(join(desk.bench.workspace, 'ran.txt')), 'ran\nran\n');
  });

  test('that comes too late is none', async (t) => {
    const rule = { ...ASK, approval: { by: ['operator'], timeout_s: 1 } };
    const desk = await deskWith(t, [{ calls: [bash('echo ran >> ran.txt')] }, { text: 'done' }], [rule]);
    const id = await desk.start('one');
    await endOf(desk.bench, id);
    assert.notEqual((await desk.bench.q('approve', id, '1')).status, 0);
    assert.equal(textOf(join(desk.bench.workspace, 'ran.txt')), '');
    assert.match(JSON.stringify(desk.provider.requests[1]?.body), /expired|in time|nobody/i);
  });
});
