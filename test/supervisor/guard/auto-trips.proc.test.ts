import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { probeLayers } from '../../../sandbox/layers.ts';
import type { StatusDocument } from '../../../src/protocol/control.ts';
import type { LatchDocument } from '../../../src/protocol/guard-documents.ts';
import { openAgentBench } from '../../setup/agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

describe('kill switches that trip by themselves', { timeout: 120_000, skip: lacks }, () => {
  test('a step whose agent used up its budget runs again only after a person re-armed it', async (t) => {
    const list = { calls: [{ name: 'fs_list' }] };
    const desk = await openAgentBench({ turns: [list, list], after: 'fail' });
    t.after(() => desk.close());
    const retry = { strategy: 'retry', max_attempts: 2, initial_delay: 0 };
    desk.workflow(
      'spent',
      { guardrails: { max_iterations: 1 } },
      { error_handling: { per_step: { a: retry } } },
    );
    const { run, code } = await desk.run('spent');
    assert.deepEqual([code, run.error?.code, run.steps[0]?.attempts], [1, 'AGENT_LIMIT', 2]);
    const tripped = async (): Promise<LatchDocument[]> =>
      ((await desk.bench.json('kill', 'status')) as { latches: LatchDocument[] }).latches;
    const [latch] = await tripped();
    assert.deepEqual([latch?.scope, latch?.by, latch?.mode], [`step:${run.id}/a`, 'supervisor', 'kill']);
    assert.match(latch?.reason ?? '', /^AGENT_LIMIT: /);

    const resume = async (): Promise<StatusDocument> => {
      await desk.bench.qWith(desk.env, 'resume', run.id);
      return desk.bench.status(run.id);
    };
    assert.equal((await resume()).error?.code, 'KILL_SWITCH');
    await desk.bench.q('rearm', `step:${run.id}/a`, '--reason', 'looked at it');
    // Armed again it runs, and its budget is what it was.
    assert.equal((await resume()).error?.code, 'AGENT_LIMIT');
    assert.equal(desk.provider.requests.length, 1);
  });

  test('one whose failure is caught trips nothing', async (t) => {
    const same = { calls: [{ name: 'fs_list' }] };
    const desk = await openAgentBench({ turns: [same, same, same, same], after: 'fail' });
    t.after(() => desk.close());
    desk.workflow('stuck', {}, { error_handling: { per_step: { a: 'skip' } } });
    const { run, code } = await desk.run('stuck');
    assert.deepEqual([code, run.status, run.steps[0]?.error?.code], [0, 'completed', 'AGENT_STUCK']);
    const { latches } = (await desk.bench.json('kill', 'status')) as { latches: LatchDocument[] };
    assert.deepEqual(
      latches.map(({ scope }) => scope),
      [],
    );
  });
});
