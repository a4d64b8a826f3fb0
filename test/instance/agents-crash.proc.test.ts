import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { checkPairs, lines } from '../agents/fake-world.ts';
import type { MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { endOf, hostOf, outputsOf, textOf } from '../setup/leftovers.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

async function benchFor(t: TestContext, turns: readonly MockTurn[]): Promise<AgentBench> {
  const desk = await openAgentBench({ turns, after: 'fail' });
  t.after(() => desk.close());
  return desk;
}

async function killHost(id: string): Promise<void> {
  const pid = await eventually('the process of the instance', () => hostOf(id));
  process.kill(pid, 'SIGKILL');
}

const SLOW_TOOL: MockTurn = {
  calls: [{ name: 'execute_bash', args: { command: 'echo ran >> ran.txt; sleep 60', timeout_s: 90 } }],
};

describe('an agent whose process is killed', { timeout: 300_000, skip: lacks }, () => {
  test('goes on with its conversation: the open call is interrupted, not run again, and counts', async (t) => {
    const desk = await benchFor(t, [{ calls: [{ name: 'fs_list' }] }, SLOW_TOOL, { text: 'I saw it end' }]);
    desk.workflow('killed', { guardrails: { max_iterations: 3 } });
    const id = await desk.start('killed');
    const ran = join(desk.bench.workspace, 'ran.txt');
    await eventually('the tool runs', () => textOf(ran) !== '');
    await killHost(id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(run.incarnations, 2);
    const { text, iterations, tool_calls } = outputsOf(run, 'a');
    assert.deepEqual([text, iterations, tool_calls], ['I saw it end', 3, 2]);
    assert.equal(textOf(ran), 'ran\n');
    const events = desk.agentEvents(id);
    checkPairs(events);
    assert.ok(lines(events).includes('tool_ended c2-1 interrupted'));
    assert.equal(desk.provider.requests.length, 3);
    const body = JSON.stringify(desk.provider.requests[2]?.body);
    assert.ok(body.includes('interrupted: the process ended while this call was open'));
    assert.equal(run.steps.find(({ id: step }) => step === 'a')?.attempts, 1);
  });

  test('in the midst of an answer has spent that request', async (t) => {
    const slow: MockTurn = { text: 'y'.repeat(5000), fault: { kind: 'slow', bytesPerSecond: 50 } };
    const desk = await benchFor(t, [slow, { text: 'second' }]);
    desk.workflow('midst', { guardrails: { max_iterations: 2 } });
    const id = await desk.start('midst');
    await desk.provider.whenAsked(1);
    await killHost(id);
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(lines(desk.agentEvents(id)), ['requested 1', 'requested 2', 'answered 2 stop']);
    const usage = outputsOf(run, 'a')['usage'] as { in: number; estimated: boolean };
    assert.ok(usage.in > 120 && usage.estimated, JSON.stringify(usage));
  });

  test('never sends more requests than max_iterations, however often it is killed', async (t) => {
    const desk = await benchFor(
      t,
      Array.from({ length: 9 }, () => SLOW_TOOL),
    );
    desk.workflow('often', { guardrails: { max_iterations: 3 } });
    const id = await desk.start('often');
    for (const call of ['c1-1', 'c2-1']) {
      await eventually(`${call} was called`, () =>
        desk.agentEvents(id).some((event) => event.type === 'agent.tool_called' && event.call === call),
      );
      await killHost(id);
    }
    const run = await endOf(desk.bench, id);
    assert.equal(run.error?.code, 'AGENT_LIMIT');
    assert.equal(desk.provider.requests.length, 3);
    checkPairs(desk.agentEvents(id));
  });

  test('or stopped, and resumed by a person, goes on too; the key has to be given again', async (t) => {
    const desk = await benchFor(t, [SLOW_TOOL, { text: 'after the stop' }]);
    desk.workflow('resumed', { guardrails: { max_iterations: 2 } });
    const id = await desk.start('resumed');
    await eventually('the tool runs', () => textOf(join(desk.bench.workspace, 'ran.txt')) !== '');
    await desk.bench.q('stop', id);
    assert.equal((await endOf(desk.bench, id)).status, 'stopped');
    checkPairs(desk.agentEvents(id));
    const without = await desk.bench.q('resume', id, '--json');
    assert.match(without.stdout + without.stderr, /MODEL_NOT_CONFIGURED/);
    await desk.bench.qWith(desk.env, 'resume', id, '--json');
    const run = await desk.bench.status(id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual([outputsOf(run, 'a')['text'], outputsOf(run, 'a')['iterations']], ['after the stop', 2]);
  });

  test('for good leaves no intent without an outcome either', async (t) => {
    const desk = await benchFor(t, [SLOW_TOOL]);
    desk.workflow('forced');
    const id = await desk.start('forced');
    await eventually('the tool runs', () => textOf(join(desk.bench.workspace, 'ran.txt')) !== '');
    await desk.bench.q('stop', id, '--force');
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'killed');
    checkPairs(desk.agentEvents(id));
    assert.equal(lines(desk.agentEvents(id)).at(-1), 'tool_ended c1-1 interrupted');
  });
});
