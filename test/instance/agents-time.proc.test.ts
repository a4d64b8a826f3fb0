/** The time of an agent's work: not that of a pause, and not anew with each process. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench, pendingCalls, writeLimits } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { endAfterCrash, endOf, hostOf, pidIn } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const runs = (command: string): MockTurn => ({ calls: [{ name: 'execute_bash', args: { command } }] });

describe('the time of an agent', { timeout: 120_000, skip: lacks }, () => {
  let desk: AgentBench;
  before(async () => {
    desk = await openAgentBench({ turns: [] });
  });
  after(() => desk.close());

  const calledIn = (id: string): number =>
    desk.agentEvents(id).filter(({ type }) => type === 'agent.tool_called').length;

  test('stands still while the run is paused', async () => {
    desk.provider.play({
      turns: [
        runs('echo $$ > paused.pid; until [ -e go ]; do sleep 0.1; done'),
        runs('sleep 1'),
        { text: 'ok' },
      ],
    });
    desk.workflow('paused', { timeout: 5, guardrails: { max_execution_time: 5 } });
    const id = await desk.start('paused');
    await pidIn(join(desk.bench.workspace, 'paused.pid'));
    await desk.bench.json('pause', id);
    const since = Date.now();
    await eventually('the pause was longer than both limits', () => Date.now() - since > 6000);
    await desk.bench.json('resume', id, '--detach');
    desk.bench.script('go', '');
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
  });

  test('goes on where it was when a person has decided', async () => {
    desk.provider.play({ turns: [1, 2, 3, 4, 5].map((number) => runs(`sleep 1.${number}`)) });
    writeLimits(desk.bench, {}, [{ id: 'ask', effect: 'ask', tool: 'execute_bash' }]);
    desk.workflow('asked', { timeout: 4 });
    const id = await desk.start('asked');
    let approved = 0;
    for (; (await desk.bench.status(id)).ended_at === null && approved < 5; approved += 1) {
      await pendingCalls(desk, id);
      assert.equal((await desk.bench.q('approve', id)).status, 0);
      await eventually('the call has ended', () => {
        const ended = desk.agentEvents(id).filter(({ type }) => type === 'agent.tool_ended');
        return ended.length > approved;
      });
      await eventually('the next call waits, or it has ended', async () => {
        const run = await desk.bench.status(id);
        return run.ended_at !== null || calledIn(id) > approved + 1;
      });
    }
    writeLimits(desk.bench, {});
    const run = await endOf(desk.bench, id);
    assert.equal(run.error?.code, 'STEP_TIMEOUT', JSON.stringify(run.error));
    assert.ok(approved <= 4, `${approved} calls of over a second each`);
  });

  test('counts what a process had worked that was killed', async () => {
    desk.provider.play({ turns: [1, 2, 3].map((number) => runs(`sleep 30.${number}`)) });
    desk.workflow('killed', { guardrails: { max_execution_time: 6 } });
    const id = await desk.start('killed');
    await eventually('a call is under way', () => calledIn(id) === 1);
    const host = hostOf(id);
    assert.ok(host !== undefined);
    let since = Date.now();
    await eventually('it has worked for most of its time', () => Date.now() - since > 4000);
    process.kill(host, 'SIGKILL');
    await eventually('the next process has a call under way', () => calledIn(id) === 2);
    since = Date.now();
    const run = await endAfterCrash(desk.bench, id);
    assert.equal(run.error?.code, 'AGENT_LIMIT', JSON.stringify(run.error));
    assert.ok(Date.now() - since < 4000, `the second process worked ${Date.now() - since} ms`);
  });
});
