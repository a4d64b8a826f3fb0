import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { KillDocument } from '../../src/protocol/guard-documents.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { eventually, ROOT } from '../setup/bench-home.ts';
import { endOf, processesOf, textOf } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

/** A kill switch of a tool ends its calls in flight, and nothing else of the run. */
describe('the kill switch of a tool', { timeout: 240_000, skip: lacks }, () => {
  const deskWith = async (t: TestContext, turns: readonly MockTurn[]): Promise<AgentBench> => {
    const desk = await openAgentBench({ turns, after: 'fail' });
    t.after(() => desk.close());
    desk.workflow('one');
    return desk;
  };
  const open = (desk: AgentBench, id: string): Promise<unknown> =>
    eventually('a call is under way', () =>
      desk.agentEvents(id).some((event) => event.type === 'agent.tool_called'),
    );
  const kill = async (desk: AgentBench, scope: string): Promise<KillDocument> => {
    const { stdout, stderr } = await desk.bench.q('kill', scope, '--reason', 'test', '--json');
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as KillDocument;
  };
  const ends = (desk: AgentBench, id: string): [string, string][] =>
    desk
      .agentEvents(id)
      .flatMap((event) =>
        event.type === 'agent.tool_ended'
          ? [[event.outcome, typeof event.result === 'string' ? event.result : ''] as [string, string]]
          : [],
      );

  test('a command that ignores signals and leaves its session is gone; the agent is told and goes on', async (t) => {
    const command = "trap '' TERM HUP; setsid sleep 300 & while :; do sleep 1; done";
    const desk = await deskWith(t, [
      { calls: [{ name: 'execute_bash', args: { command, timeout_s: 300 } }] },
      { calls: [{ name: 'execute_bash', args: { command: 'echo again' } }] },
      { text: 'done' },
    ]);
    const id = await desk.start('one');
    await open(desk, id);
    const before = await eventually('its processes', () => {
      const pids = processesOf(id);
      return pids.length >= 4 && pids;
    });
    const done = await kill(desk, 'tool:execute_bash');
    assert.deepEqual(
      done.instances.flatMap(({ survivors }) => survivors),
      [],
    );
    const left = processesOf(id).filter((pid) => before.includes(pid));
    assert.ok(left.length <= 1, `beside the process of the run ${left.length - 1} are left`);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', run.reason ?? '');
    const [first, second] = ends(desk, id);
    assert.equal(first?.[0], 'interrupted');
    assert.match(first?.[1] ?? '', /^ended by the kill switch tool:execute_bash, by person /);
    assert.equal(second?.[0], 'denied');
  });

  test('a server that does not react to the end of a call is ended', async (t) => {
    const desk = await deskWith(t, [{ calls: [{ name: 'calc___hang', args: {} }] }, { text: 'done' }]);
    copyFileSync(join(ROOT, 'test/agents/mcp-server.mjs'), join(desk.bench.workspace, 'server.mjs'));
    const calc = { command: process.execPath, args: ['server.mjs'], timeout: 120_000 };
    desk.agent('helper', { tools: ['@calc'], mcpServers: { calc } });
    const id = await desk.start('one');
    await open(desk, id);
    const startedAt = performance.now();
    await kill(desk, 'tool:@calc/hang');
    const run = await endOf(desk.bench, id);
    assert.ok(performance.now() - startedAt < 20_000);
    assert.equal(run.status, 'completed', run.reason ?? '');
    assert.deepEqual(
      ends(desk, id).map(([outcome]) => outcome),
      ['interrupted'],
    );
  });

  test('a server that goes on with what an answered call has begun is ended, and started for the next call', async (t) => {
    const work = { name: 'busy___work', args: { file: 'busy.txt' } };
    const desk = await deskWith(t, [
      { calls: [work] },
      { calls: [{ name: 'execute_bash', args: { command: 'echo up > up.txt; sleep 3' } }] },
      { calls: [work] },
      { text: 'done' },
    ]);
    const file = (name: string): string => join(desk.bench.workspace, name);
    copyFileSync(join(ROOT, 'test/agents/busy-server.mjs'), file('busy-server.mjs'));
    const busy = { command: process.execPath, args: ['busy-server.mjs'] };
    desk.agent('helper', { tools: ['@busy', 'execute_bash'], mcpServers: { busy } });
    const id = await desk.start('one');
    await eventually('the next call is under way', () => textOf(file('up.txt')) !== '');
    const before = textOf(file('busy.txt')).length;
    await eventually('the server works on', () => textOf(file('busy.txt')).length > before);
    await kill(desk, 'tool:@busy/work');
    const written = textOf(file('busy.txt')).length;
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', run.reason ?? '');
    assert.equal(textOf(file('busy.txt')).length, written);
    assert.deepEqual(
      ends(desk, id).map(([outcome]) => outcome),
      ['ok', 'ok', 'denied'],
    );
  });
});
