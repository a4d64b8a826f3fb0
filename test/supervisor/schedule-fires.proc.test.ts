import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, test } from 'node:test';
import { identify, isAlive } from '../../sandbox/process-identity.ts';
import type { ScheduleDocument } from '../../src/protocol/schedule-control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

interface Fire {
  readonly at: number;
  readonly status: string;
  readonly instance: string | null;
  readonly reason: string | null;
}

const EVERY_SECOND = { type: 'schedule', cron: '* * * * * *' };
const ONCE_A_YEAR = { type: 'schedule', cron: '0 0 1 1 *' };
const SAY = { id: 'only', type: 'skill', skill: 'say' };
const LONG = { id: 'only', type: 'skill', skill: 'long' };

describe('schedules fire in the built program', { timeout: 300_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: 'hello' });
    bench.skill('long', { type: 'code_inline', command: 'sleep', args: ['600'] });
  });
  after(() => bench.close());

  function query<T>(sql: string, ...values: readonly string[]): T[] {
    const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), { readOnly: true });
    try {
      return database.prepare(sql).all(...values) as T[];
    } finally {
      database.close();
    }
  }

  const fires = (workflow: string): Fire[] =>
    query('SELECT at, status, instance, reason FROM fires WHERE workflow = ? ORDER BY at', workflow);

  const firesWith = (workflow: string, status: string, count: number): Promise<Fire[]> =>
    eventually(`${count} ${status} fires of ${workflow}`, () => {
      const found = fires(workflow).filter((fire) => fire.status === status);
      return found.length >= count && found;
    });

  /** Instants of all instances that were ever created for a fire, from the audit: the table could hide a second one. */
  const created = (workflow: string): string[] =>
    query<{ body: string }>("SELECT body FROM audit WHERE type = 'instance.created' ORDER BY seq").flatMap(
      ({ body }) => {
        const { data } = JSON.parse(body) as { data: { workflow: string; fire?: string } };
        return data.workflow === workflow && data.fire !== undefined ? [data.fire] : [];
      },
    );

  async function register(
    name: string,
    trigger: object,
    step: object = SAY,
    more: object = {},
  ): Promise<void> {
    const file = bench.workflow(name, { triggers: [trigger], steps: [step], ...more });
    const { status, stderr } = await bench.q('register', file);
    assert.equal(status, 0, stderr);
  }

  const unregister = async (name: string): Promise<void> => {
    const { status, stderr } = await bench.q('unregister', name);
    assert.equal(status, 0, stderr);
  };

  const listed = async (name: string): Promise<ScheduleDocument | undefined> =>
    ((await bench.json('schedule', 'list')) as ScheduleDocument[]).find(({ workflow }) => workflow === name);

  test('each second once, also when the supervisor is killed between the commit and the start', async () => {
    await register('tick', { ...EVERY_SECOND, overlap: 'allow', catch_up: 'all' });
    const first = await firesWith('tick', 'started', 3);
    const seconds = first.map(({ at }) => at / 1000);
    assert.deepEqual(
      seconds,
      seconds.map((_, index) => (seconds[0] ?? 0) + index),
    );

    process.kill(await bench.supervisorPid(), 'SIGKILL');
    await bench.qWith({ Q_WORKFLOW_FAILPOINT: 'supervisor.created:3' }, 'supervisor', 'start');
    await eventually('the kill at the failpoint', async () => {
      const { status } = await bench.q('supervisor', 'status');
      return status === 5;
    });
    await bench.q('supervisor', 'start');
    const before = fires('tick').length;
    await firesWith('tick', 'started', before + 2);

    await unregister('tick');
    const all = fires('tick');
    assert.deepEqual(
      all.map(({ status }) => status),
      all.map(() => 'started'),
    );
    const from = (all[0]?.at ?? 0) / 1000;
    assert.deepEqual(
      all.map(({ at }) => at / 1000),
      all.map((_, index) => from + index),
      'no second was lost',
    );
    assert.deepEqual(
      created('tick'),
      all.map(({ at }) => new Date(at).toISOString()),
      'each has one instance',
    );
    for (const { instance } of all) {
      const end = await eventually(`the end of ${instance}`, async () => {
        const run = await bench.status(instance ?? '');
        return run.ended_at !== null && run;
      });
      assert.equal(end.status, 'completed', JSON.stringify(end.error));
    }
    assert.deepEqual(fires('tick'), all, 'an unregistered workflow does not fire');
  });

  test('many of one instant: killed in the middle of them, each starts once', async () => {
    const names = Array.from({ length: 12 }, (_, index) => `many-${index}`);
    await bench.q('supervisor', 'stop');
    await bench.qWith({ Q_WORKFLOW_FAILPOINT: 'supervisor.created:5' }, 'supervisor', 'start');
    const supervisor = identify(await bench.supervisorPid());
    assert.ok(supervisor !== null && isAlive(supervisor));
    // Time enough to register all of them.
    const instant = Math.ceil(Date.now() / 1000) * 1000 + 25_000;
    const at = new Date(instant);
    const cron = `${at.getUTCSeconds()} ${at.getUTCMinutes()} ${at.getUTCHours()} * * *`;
    const files = names.map((name) =>
      bench.workflow(name, { triggers: [{ type: 'schedule', cron }], steps: [SAY] }),
    );
    for (const { status, stderr } of await Promise.all(files.map((file) => bench.q('register', file))))
      assert.equal(status, 0, stderr);
    assert.ok(Date.now() < instant, 'registered too late');
    const pairs = (): { workflow: string; instance: string; status: string }[] =>
      query("SELECT workflow, instance, status FROM fires WHERE workflow LIKE 'many-%' ORDER BY workflow");
    await eventually('the kill at the failpoint', () => !isAlive(supervisor), 60_000);
    const before = pairs();
    assert.ok(before.length >= 5 && before.length <= names.length, String(before.length));
    await bench.q('supervisor', 'start');
    const all = await eventually('all have fired', () => pairs().length === names.length && pairs());
    assert.deepEqual(
      all.map(({ workflow, status }) => [workflow, status]),
      names.toSorted().map((name) => [name, 'started']),
    );
    for (const { workflow, instance } of before)
      assert.equal(
        all.find((fire) => fire.workflow === workflow)?.instance,
        instance,
        'it keeps its instance',
      );
    for (const { workflow, instance } of all) {
      assert.deepEqual(created(workflow), [at.toISOString()]);
      const end = await eventually(`the end of ${workflow}`, async () => {
        const run = await bench.status(instance);
        return run.ended_at !== null && run;
      });
      assert.equal(end.status, 'completed', JSON.stringify(end.error));
    }
    for (const name of names) await unregister(name);
  });

  test('pause, resume, and an edit hold at once', async () => {
    await register('edited', { ...EVERY_SECOND, overlap: 'allow' });
    await firesWith('edited', 'started', 1);
    assert.deepEqual(await bench.json('schedule', 'pause', 'edited'), { workflow: 'edited', changed: true });
    assert.deepEqual(await bench.json('schedule', 'pause', 'edited'), { workflow: 'edited', changed: false });
    const paused = fires('edited');
    const since = (await listed('edited'))?.paused?.since ?? '';
    // Three fires of another schedule: time enough for those that must not come.
    await register('meter', { ...EVERY_SECOND, overlap: 'allow' });
    await firesWith('meter', 'started', 3);
    await unregister('meter');
    assert.deepEqual(fires('edited'), paused);

    await bench.json('schedule', 'resume', 'edited');
    const resumedAt = Date.now();
    const again = (await firesWith('edited', 'started', paused.length + 2)).slice(paused.length);
    assert.ok(
      again.every(({ at }) => at > Date.parse(since) + 2000),
      'nothing of the pause is made up for',
    );
    assert.ok(resumedAt > Date.parse(since) + 2000);

    await register('edited', ONCE_A_YEAR);
    const edited = fires('edited');
    assert.match((await listed('edited'))?.next?.at ?? '', /^\d{4}-01-01T00:00:00\.000Z$/);
    await register('meter', { ...EVERY_SECOND, overlap: 'allow' });
    await eventually(
      'fires after the edit',
      () => fires('meter').filter(({ at }) => at > resumedAt).length > 5,
    );
    await unregister('meter');
    assert.deepEqual(fires('edited'), edited);
  });

  test('skip: nothing starts beside an instance that has not ended', async () => {
    await register('skips', EVERY_SECOND, LONG);
    const [skipped] = await firesWith('skips', 'skipped', 2);
    await unregister('skips');
    assert.equal(skipped?.reason, 'an earlier instance has not ended');
    const started = fires('skips').filter(({ status }) => status === 'started');
    assert.equal(started.length, 1);
    await bench.q('stop', started[0]?.instance ?? '', '--force');
  });

  test('queue: the next one starts when the earlier has ended, whoever was killed meanwhile', async () => {
    await register('queues', { ...EVERY_SECOND, overlap: 'queue' }, LONG);
    await firesWith('queues', 'queued', 2);
    const [first] = await firesWith('queues', 'started', 1);
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    await bench.q('stop', first?.instance ?? '', '--force');
    const started = await firesWith('queues', 'started', 2);
    await unregister('queues');
    assert.equal(started.length, 2);
    assert.equal(started[1]?.at, (first?.at ?? 0) + 1000);
    assert.deepEqual(
      fires('queues').filter(({ status }) => status === 'queued'),
      [],
      'what waits goes with the registration',
    );
    await bench.q('stop', started[1]?.instance ?? '', '--force');
  });

  test('cancel_previous: the earlier one is stopped, then the later starts', async () => {
    await register('replaces', { ...EVERY_SECOND, overlap: 'cancel_previous' }, LONG);
    const started = await firesWith('replaces', 'started', 2);
    await unregister('replaces');
    const run = await bench.status(started[0]?.instance ?? '');
    assert.equal(run.status, 'stopped');
    const [second] = query<{ created_at: number }>(
      'SELECT created_at FROM instances WHERE id = ?',
      started[1]?.instance ?? '',
    );
    assert.ok((second?.created_at ?? 0) >= Date.parse(run.ended_at ?? ''));
    for (const { instance } of fires('replaces'))
      if (instance !== null) await bench.q('stop', instance, '--force');
  });

  test('one that cannot start, and one under a kill switch, are recorded and started no more', async () => {
    await register('lacks', EVERY_SECOND, SAY, { inputs: { name: { required: true } } });
    const [failed] = await firesWith('lacks', 'failed', 2);
    assert.match(failed?.reason ?? '', /^INPUT_INVALID: the workflow lacks cannot run with these values$/);
    await unregister('lacks');

    await register('held', ONCE_A_YEAR);
    await bench.q('kill', 'workflow:held');
    const { status, stderr } = await bench.q('schedule', 'trigger', 'held');
    assert.equal(status, 6, stderr);
    const [refused] = await firesWith('held', 'refused', 1);
    assert.match(refused?.reason ?? '', /^KILL_SWITCH: the kill switch workflow:held is tripped/);
    await bench.q('rearm', 'workflow:held', '--reason', 'test');
    const run = (await bench.json('schedule', 'trigger', 'held')) as { workflow: string; id: string };
    const [started] = await firesWith('held', 'started', 1);
    assert.equal(started?.instance, run.id);
  });

  test('what has no schedule, or is not registered, is refused with the way out', async () => {
    const file = bench.workflow('by-hand', { steps: [SAY] });
    await bench.q('register', file);
    const none = await bench.q('schedule', 'pause', 'by-hand');
    assert.equal(none.status, 4);
    assert.match(none.stderr, /the workflow by-hand has no trigger of type schedule/);
    const unknown = await bench.q('schedule', 'trigger', 'nobody');
    assert.equal(unknown.status, 4);
    assert.match(unknown.stderr, /no workflow is registered as "nobody"/);
  });
});
