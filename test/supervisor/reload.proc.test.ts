import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { PolicyReload } from '../../src/protocol/guard-documents.ts';
import type { MockCall, MockTurn } from '../provider/scenario.ts';
import { type AgentBench, openAgentBench } from '../setup/agents.ts';
import { eventually } from '../setup/bench-home.ts';
import { endOf } from '../setup/leftovers.ts';

/** Policies that change while an agent works. */
describe('a reload of policies', { timeout: 300_000 }, () => {
  let desk: AgentBench;
  const list = (path: string): MockCall => ({ name: 'fs_list', args: { path } });
  /** So slow that there is time to change the policies before its call arrives. */
  const slow = (call: MockCall): MockTurn => ({
    calls: [call],
    fault: { kind: 'slow', bytesPerSecond: 300 },
  });
  beforeEach(async () => {
    const turns = [{ calls: [list('.')] }, slow(list('.q-skills')), { text: 'done' }];
    desk = await openAgentBench({ turns, after: 'fail' });
    desk.workflow('one');
    policy({ limits: { calls: { fs_list: { per_run: 9 } } } });
  });
  afterEach(() => desk.close());

  const policy = (content: object): void => {
    const folder = join(desk.bench.workspace, '.amazonq', 'policies');
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'p.json'), JSON.stringify({ apiVersion: 'policy/v1', id: 'p', ...content }));
  };
  const outcomes = (id: string): string[] =>
    desk.agentEvents(id).flatMap((event) => (event.type === 'agent.tool_ended' ? [event.outcome] : []));
  const results = (id: string): string =>
    JSON.stringify(desk.agentEvents(id).filter((event) => event.type === 'agent.tool_ended'));
  interface Record {
    readonly actor: { readonly kind: string };
    readonly instance: string | null;
    readonly data: { readonly [name: string]: unknown };
  }
  const records = (type: string): Record[] => {
    const database = new DatabaseSync(join(desk.bench.home, 'q-workflow.db'), { readOnly: true });
    const rows = database.prepare('SELECT body FROM audit WHERE type = ? ORDER BY seq').all(type);
    database.close();
    return rows.map(({ body }) => JSON.parse(String(body)) as Record);
  };
  const reload = async (): Promise<{ status: number | null; document: PolicyReload }> => {
    const { status, stdout, stderr } = await desk.bench.q('policy', 'reload', '--json');
    assert.notEqual(stdout, '', stderr);
    return { status, document: JSON.parse(stdout) as PolicyReload };
  };
  /** A run that has made its first call and waits for its second answer. */
  const startOne = async (): Promise<string> => {
    const id = await desk.start('one');
    await desk.provider.whenAsked(2);
    return id;
  };

  test('what runs asks its next permit under the new ones; what it used stays counted', async () => {
    const id = await startOne();
    policy({ limits: { calls: { fs_list: { per_run: 1 } } } });
    const { status, document } = await reload();
    assert.equal(status, 0);
    const [run, ...more] = document.runs;
    assert.deepEqual([run?.id, run?.is_changed, more, document.unusable], [id, true, [], []]);
    assert.equal((await endOf(desk.bench, id)).status, 'completed');
    assert.deepEqual(outcomes(id), ['ok', 'denied']);
    assert.match(results(id), /the limit calls\.fs_list\.per_run of the run is 1, and this would make 2/);
    const [whole, own] = records('policy.reloaded');
    assert.deepEqual([whole?.instance, whole?.data], [null, { runs: 1, changed: 1, unusable: [] }]);
    assert.deepEqual(
      [own?.instance, own?.actor.kind, own?.data],
      [id, 'person', { old_hash: run?.old_hash, new_hash: run?.new_hash }],
    );
    assert.equal((await desk.bench.q('audit', 'verify')).status, 0);
  });

  test('without a reload a changed file means nothing to what runs', async () => {
    const id = await startOne();
    policy({ limits: { calls: { fs_list: { per_run: 1 } } } });
    await endOf(desk.bench, id);
    assert.deepEqual(outcomes(id), ['ok', 'ok']);
  });

  test('a file that cannot be used makes its layer deny, exit 3 names it', async () => {
    const id = await startOne();
    policy({ rules: [{ id: 'x', effect: 'permit' }] });
    const { status, document } = await reload();
    assert.equal(status, 3);
    assert.equal(document.unusable[0]?.layer, 'workspace');
    assert.match(document.unusable[0]?.file ?? '', /\.amazonq\/policies\/p\.json$/);
    assert.match(document.unusable[0]?.message ?? '', /effect/);
    await endOf(desk.bench, id);
    assert.equal(outcomes(id)[0], 'ok');
    assert.ok(!outcomes(id).slice(1).includes('ok'), results(id));
  });

  test('SIGHUP does the same, recorded as the supervisor', async () => {
    const id = await startOne();
    policy({ rules: [{ id: 'no', effect: 'deny', tool: 'fs_list', reason: 'not any more' }] });
    process.kill(await desk.bench.supervisorPid(), 'SIGHUP');
    await eventually('the reload', () => records('policy.reloaded').length === 2);
    await endOf(desk.bench, id);
    assert.deepEqual(outcomes(id), ['ok', 'denied']);
    assert.match(results(id), /not any more/);
    assert.deepEqual(
      records('policy.reloaded').map(({ actor }) => actor.kind),
      ['supervisor', 'supervisor'],
    );
    const log = readFileSync(join(desk.bench.home, 'log', 'supervisor.log'), 'utf8');
    assert.match(log, /"message":"policies were read anew"/);
  });

  test('nothing that changed is recorded as one reload, and no run speaks of it', async () => {
    const id = await startOne();
    const { document } = await reload();
    assert.deepEqual(
      [document.runs[0]?.is_changed, document.runs[0]?.old_hash],
      [false, document.runs[0]?.new_hash],
    );
    assert.deepEqual(
      records('policy.reloaded').map(({ instance }) => instance),
      [null],
    );
    await endOf(desk.bench, id);
    assert.deepEqual(outcomes(id), ['ok', 'ok']);
  });

  test('a broken file by SIGHUP while much is started: told until it is mended, and nothing else suffers', async () => {
    desk.bench.skill('say', { type: 'prompt_inline', prompt_template: 'hello' });
    const plain = desk.bench.workflow('plain', { steps: [{ id: 'a', type: 'skill', skill: 'say' }] });
    const id = await startOne();
    const supervisor = await desk.bench.supervisorPid();
    const running = Array.from({ length: 8 }, () => desk.bench.q('run', plain));
    const reloads = (): unknown[] =>
      records('policy.reloaded').flatMap(({ instance, data }) =>
        instance === null ? [(data['unusable'] as unknown[]).length] : [],
      );
    const problems = async (): Promise<string[]> =>
      ((await desk.bench.json('supervisor', 'status')) as { problems: string[] }).problems;
    policy({ rules: [{ id: 'x', effect: 'permit' }] });
    process.kill(supervisor, 'SIGHUP');
    await eventually('the reload of the broken one', () => reloads().length === 1);
    const [broken, ...more] = await problems();
    assert.match(
      broken ?? '',
      /p\.json cannot be used: the layer workspace denies everything\. \$\.rules\[0\]\.effect/,
    );
    assert.deepEqual(more, []);
    policy({ rules: [] });
    process.kill(supervisor, 'SIGHUP');
    await eventually('the reload of the mended one', () => reloads().length === 2);
    assert.deepEqual([reloads(), await problems()], [[1, 0], []]);
    for (const { status, stderr } of await Promise.all(running)) assert.equal(status, 0, stderr);
    const { status } = await endOf(desk.bench, id);
    assert.equal(status, 'completed', results(id));
    assert.deepEqual(outcomes(id), ['ok', 'ok']);
    assert.equal(await desk.bench.supervisorPid(), supervisor);
    const log = readFileSync(join(desk.bench.home, 'log', 'supervisor.log'), 'utf8');
    assert.equal(
      log.split('"message":"a policy file cannot be used, its layer denies everything"').length,
      2,
    );
  });

  test('where nothing runs, a file of whoever asks is read and told all the same, by doctor too', async () => {
    await desk.bench.q('supervisor', 'start');
    policy({ rules: [{ id: 'x', effect: 'permit' }] });
    const { status, document } = await reload();
    assert.deepEqual([status, document.runs], [3, []]);
    assert.match(document.unusable[0]?.file ?? '', /\.amazonq\/policies\/p\.json$/);
    const doctor = async (): Promise<[number | null, string]> => {
      const { status: code, stdout } = await desk.bench.q('doctor', '--json');
      const { checks } = JSON.parse(stdout) as { checks: { name: string; state: string }[] };
      return [code, checks.find(({ name }) => name === 'policies')?.state ?? ''];
    };
    assert.deepEqual(await doctor(), [5, 'broken']);
    // A signal comes from no workspace: it is the files of the supervisor's own person that count.
    const mine = join(desk.bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies', 'bench.json');
    writeFileSync(mine, '{');
    process.kill(await desk.bench.supervisorPid(), 'SIGHUP');
    await eventually('the reload', () => records('policy.reloaded').length === 2);
    const unusable = records('policy.reloaded')[1]?.data['unusable'] as { file: string; layer: string }[];
    assert.deepEqual(
      unusable.map(({ file, layer }) => [file, layer]),
      [[mine, 'user']],
    );
    policy({ rules: [] });
    writeFileSync(mine, JSON.stringify({ apiVersion: 'policy/v1', id: 'bench', layer: 'user', rules: [] }));
    assert.equal((await reload()).status, 0);
    assert.equal((await doctor())[1], 'ok');
  });

  test('a configuration that is not valid: start says so with file and place, and starts', async () => {
    const folder = join(desk.bench.env['HOME'] ?? '', '.config', 'q-workflow');
    const file = join(folder, 'config.json');
    writeFileSync(file, '{\n  "capacity": {"memory_reserve_mb": "much"}\n}\n');
    const { status, stderr } = await desk.bench.q('supervisor', 'start');
    assert.equal(status, 0);
    assert.match(
      stderr.replace(/\s+/g, ' '),
      /^warning .*config\.json: \$\.capacity\.memory_reserve_mb must be/,
    );
    const problems = async (): Promise<string[]> =>
      ((await desk.bench.json('supervisor', 'status')) as { problems: string[] }).problems;
    assert.equal((await problems()).length, 1);
    writeFileSync(file, '{}');
    await reload();
    assert.match(
      (await problems())[0] ?? '',
      /^The capacity is the default one until the supervisor is restarted/,
    );
    await desk.bench.q('supervisor', 'stop');
    assert.equal((await desk.bench.q('supervisor', 'start')).stderr, '');
    assert.deepEqual(await problems(), []);
  });

  test('without a supervisor there is nothing to reload', async () => {
    assert.equal((await desk.bench.q('policy', 'reload')).status, 5);
  });
});
