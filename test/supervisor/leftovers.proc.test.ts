import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { homeKey } from '../../sandbox/choose.ts';
import { callerHere, inheritedEnvironment } from '../../src/client/caller.ts';
import { connect } from '../../src/client/client.ts';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { locateHome } from '../../src/protocol/home.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { foldersOf, isRunning } from '../setup/leftovers.ts';

test('a supervisor that leaves nothing running leaves no cgroup', { timeout: 60_000 }, async (t) => {
  const bench = openTiny(t, { type: 'code_inline', command: 'true' });
  const key = homeKey(bench.home);
  assert.equal((await bench.q('run', 'tiny')).status, 0);
  const { isolation } = (await bench.json('supervisor', 'status')) as SupervisorStatus;
  if (isolation.backend === 'polling') return t.skip('this machine has no usable cgroup');
  assert.notEqual(foldersOf(key).length, 0);
  assert.equal((await bench.q('supervisor', 'stop')).status, 0);
  assert.deepEqual(foldersOf(key), []);
});

test('nor does one that is told to leave when a run has just ended', { timeout: 60_000 }, async (t) => {
  const bench = openTiny(t, { type: 'prompt_inline', prompt_template: 'ok' });
  const { isolation } = (await bench.json('supervisor', 'start')) as SupervisorStatus;
  if (isolation.backend === 'polling') return t.skip('this machine has no usable cgroup');
  const client = await connect(locateHome({ Q_WORKFLOW_HOME: bench.home }), 'must_run');
  const { id } = await client.call('workflow.run', {
    target: 'tiny',
    caller: callerHere(bench.workspace),
    inputs: {},
    context: {},
    env: inheritedEnvironment(),
  });
  const ended = new Promise<void>((resolve) =>
    client.onNotification(({ method, params }) => {
      if (method === 'instance.state' && params.status === 'completed') resolve();
    }),
  );
  const { status } = await client.call('instance.watch', { id });
  if (status !== 'completed') await ended;
  await client.call('supervisor.stop', { instances: 'leave' });
  await client.closed;
  await eventually('its folders are gone', () => foldersOf(homeKey(bench.home)).length === 0, 10_000);
});

test('a run that had ended when the supervisor was killed has its exit recorded, once, with what it used', {
  timeout: 60_000,
}, async (t) => {
  const bench = openTiny(t, { type: 'code_inline', command: 'true' });
  const { isolation } = (await bench.json('supervisor', 'start')) as SupervisorStatus;
  if (isolation.backend === 'polling') return t.skip('this machine has no usable cgroup');
  interface Exit {
    readonly data: { readonly usage: { readonly cpuSeconds: number } | null };
  }
  const exits = async (): Promise<readonly Exit[]> => {
    const list = await bench.json('audit', 'list', '--type', 'instance.exited');
    return (list as { records: readonly Exit[] }).records;
  };
  for (const point of ['supervisor.before_exit_record', 'supervisor.after_exit_record']) {
    const before = (await exits()).length;
    await bench.q('supervisor', 'stop');
    await bench.qWith({ Q_WORKFLOW_FAILPOINT: `${point}:1` }, 'supervisor', 'start');
    const pid = await bench.supervisorPid();
    const id = (await bench.q('run', 'tiny', '--detach')).stdout.trim();
    await eventually('the supervisor is killed', () => !isRunning(pid));
    const found = await exits();
    assert.equal(found.length, before + 1, point);
    assert.ok((found[0]?.data.usage?.cpuSeconds ?? 0) > 0, point);
    assert.equal((await bench.status(id)).status, 'completed');
    assert.equal((await bench.q('audit', 'verify')).status, 0);
    assert.deepEqual(foldersOf(id), []);
  }
});

/** A home with the workflow `tiny`, of one step. */
function openTiny(t: TestContext, skill: Parameters<Bench['skill']>[1]): Bench {
  const bench = openBench();
  t.after(() => bench.close());
  bench.skill('only', skill);
  bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'only' }] });
  return bench;
}
