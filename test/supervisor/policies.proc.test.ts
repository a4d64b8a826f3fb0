import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { MockCall, MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { endOf } from '../setup/leftovers.ts';

/** What an agent asks for, and what becomes of it under policies. */
describe('policies in a run', { timeout: 240_000 }, () => {
  let bench: AgentBench;
  const write = (path: string): MockCall => ({ name: 'fs_write', args: { path, content: 'x' } });
  before(async () => {
    const calls = ['plain.txt', 'secret/held.txt', '.git/hooks/pre-push'].map(write);
    bench = await openAgentBench({ turns: [{ calls }, { text: 'done' }, { calls }, { text: 'done' }] });
    bench.workflow('writes');
  });
  after(() => bench.close());

  const policy = (content: object | null): void => {
    const folder = join(bench.bench.workspace, '.amazonq', 'policies');
    rmSync(folder, { recursive: true, force: true });
    if (content === null) return;
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'p.json'), JSON.stringify({ apiVersion: 'policy/v1', id: 'p', ...content }));
  };
  const outcomes = (id: string): Record<string, string> =>
    Object.fromEntries(
      bench
        .agentEvents(id)
        .flatMap((event) => (event.type === 'agent.tool_ended' ? [[event.call, event.outcome]] : [])),
    );

  test('a deny of the workspace holds, a guarded file holds without any rule, the rest is allowed', async () => {
    policy({
      rules: [{ id: 'no-secret', effect: 'deny', tool: '*', path: ['secret/**'], reason: 'not yours' }],
    });
    const { run } = await bench.run('writes');
    const done = outcomes(run.id);
    assert.deepEqual(Object.values(done).toSorted(), ['denied', 'denied', 'ok']);
    const { workspace, home } = bench.bench;
    assert.equal(readFileSync(join(workspace, 'plain.txt'), 'utf8'), 'x');
    assert.equal(existsSync(join(workspace, 'secret')), false);
    assert.equal(existsSync(join(workspace, '.git', 'hooks', 'pre-push')), false);
    const database = new DatabaseSync(join(home, 'q-workflow.db'), { readOnly: true });
    const rows = database
      .prepare("SELECT body FROM audit WHERE type = 'permit.decided' AND instance = ?")
      .all(run.id)
      .map(({ body }) => (JSON.parse(String(body)) as { data: Record<string, unknown> }).data);
    database.close();
    const refused = rows.filter(({ decision }) => decision === 'deny');
    assert.ok(refused.some(({ reason }) => reason === 'not yours'));
    assert.equal(refused.length, 2);
    assert.ok(rows.every((row) => /^[0-9a-f]{64}$/.test(String(row['policy_hash']))));
    rmSync(join(workspace, 'plain.txt'));
  });

  test('a policy file that cannot be read denies everything', async () => {
    policy({ rules: [{ id: 'x', effect: 'permit' }] });
    const { run } = await bench.run('writes');
    assert.ok(!Object.values(outcomes(run.id)).includes('ok'), JSON.stringify(run));
    assert.equal(existsSync(join(bench.bench.workspace, 'plain.txt')), false);
    policy(null);
  });

  /** Runs the workflow with these answers of the model; each test brings a provider of its own. */
  const runWith = async (
    t: TestContext,
    turns: readonly MockTurn[],
    content: object,
    environment?: string,
  ): Promise<{ desk: AgentBench; run: StatusDocument }> => {
    const desk = await openAgentBench({ turns, after: 'fail' });
    t.after(() => desk.close());
    if (environment !== undefined) desk.bench.env['Q_WORKFLOW_ENVIRONMENT'] = environment;
    desk.workflow('one');
    const folder = join(desk.bench.workspace, '.amazonq', 'policies');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'p.json'), JSON.stringify({ apiVersion: 'policy/v1', id: 'p', ...content }));
    return { desk, run: (await desk.run('one')).run };
  };
  const results = (desk: AgentBench, id: string): readonly (readonly [string, string])[] =>
    desk
      .agentEvents(id)
      .flatMap((event) =>
        event.type === 'agent.tool_ended'
          ? [[event.outcome, JSON.stringify(event.result).slice(1, -1)] as const]
          : [],
      );
  const list: MockCall = { name: 'fs_list', args: { path: '.' } };
  const look = (path: string): MockCall => ({ name: 'fs_list', args: { path } });

  test('calls of a tool beyond the limit of a policy are denied, also those of one answer', async (t) => {
    const { desk, run } = await runWith(
      t,
      [{ calls: [list, look('.q-skills'), look('.amazonq')] }, { calls: [look('.')] }, { text: 'done' }],
      { limits: { calls: { fs_list: { per_run: 2 } } } },
    );
    const beyond = 'denied: the limit calls.fs_list.per_run of the run is 2, and this would make 3';
    assert.deepEqual(
      // Of one answer they end in any order.
      results(desk, run.id)
        .map(([outcome]) => outcome)
        .toSorted(),
      ['denied', 'denied', 'ok', 'ok'],
    );
    assert.ok(results(desk, run.id).filter(([, text]) => text === beyond).length === 2);
  });

  test('a file for one environment holds for the runs of a supervisor in it, and for no others', async (t) => {
    const content = {
      environments: ['production'],
      rules: [{ id: 'hands-off', effect: 'deny', tool: 'fs_list', when: "env.name == 'production'" }],
    };
    const outcome = async (environment?: string): Promise<(string | undefined)[]> => {
      const { desk, run } = await runWith(t, [{ calls: [list] }, { text: 'done' }], content, environment);
      return results(desk, run.id).map(([each]) => each);
    };
    assert.deepEqual(await outcome('production'), ['denied']);
    assert.deepEqual(await outcome(), ['ok']);
  });

  test('a rule with a rate denies what is beyond it', async (t) => {
    const rules = [{ id: 'few', effect: 'deny', tool: 'fs_list', rate: { per_run: 1 }, reason: 'enough' }];
    const { desk, run } = await runWith(
      t,
      [{ calls: [list] }, { calls: [look('.q-skills')] }, { text: 'done' }],
      { rules },
    );
    assert.deepEqual(
      results(desk, run.id).map(([outcome]) => outcome),
      ['ok', 'denied'],
    );
    assert.equal(results(desk, run.id)[1]?.[1], 'denied: enough');
  });

  test('bytes of results, and calls that go round in circles, are bounded by the policy', async (t) => {
    const large = await runWith(t, [{ calls: [list] }, { calls: [list] }, { text: 'done' }], {
      limits: { output_bytes: 1 },
    });
    assert.equal(large.run.error?.code, 'AGENT_LIMIT', JSON.stringify(large.run));
    assert.match(large.run.error?.message ?? '', /^max_output_bytes 1: \d+ used/);
    const round = await runWith(t, [{ calls: [list] }, { calls: [list] }, { text: 'done' }], {
      stuck: { same_call: 2 },
    });
    assert.equal(round.run.error?.code, 'AGENT_STUCK', JSON.stringify(round.run));
  });

  test('kinds of secrets are hidden in what tools bring, and the answer must fit the schema', async (t) => {
    const key = `AKIA${'A'.repeat(16)}`;
    const show: MockCall = { name: 'execute_bash', args: { command: `echo key ${key}` } };
    const { desk, run } = await runWith(
      t,
      [{ calls: [show] }, { text: '{"n": "x"}' }, { text: '{"n": 1}' }],
      {
        redact: ['aws-key'],
        output_schema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] },
      },
    );
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.match(results(desk, run.id)[0]?.[1] ?? '', /key hmac:[0-9a-f]{8}:[0-9a-f]{12}/);
    const outputs = run.steps[0]?.outputs as { n: unknown; iterations: unknown };
    assert.deepEqual([outputs.n, outputs.iterations], [1, 3]);
  });

  test('what was used counts on after the supervisor was killed', async (t) => {
    const slow: MockTurn = { calls: [look('.q-skills')], fault: { kind: 'slow', bytesPerSecond: 300 } };
    const desk = await openAgentBench({ turns: [{ calls: [list] }, slow, { text: 'done' }], after: 'fail' });
    t.after(() => desk.close());
    desk.workflow('one');
    const folder = join(desk.bench.workspace, '.amazonq', 'policies');
    mkdirSync(folder, { recursive: true });
    const limits = { calls: { fs_list: { per_run: 1 } } };
    writeFileSync(join(folder, 'p.json'), JSON.stringify({ apiVersion: 'policy/v1', id: 'p', limits }));
    const id = await desk.start('one');
    await desk.provider.whenAsked(2);
    process.kill(await desk.bench.supervisorPid(), 'SIGKILL');
    const run = await endOf(desk.bench, id);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual(
      results(desk, id).map(([outcome]) => outcome),
      ['ok', 'denied'],
    );
  });
});
