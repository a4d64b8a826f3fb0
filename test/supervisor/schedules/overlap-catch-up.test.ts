import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { createLiveInstance, type LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import type { Scheduler } from '../../../src/supervisor/schedules/scheduler.ts';
import { runningRow } from '../fake-context.ts';
import { MINUTE_MS, NOON, openScheduleDesk, type ScheduleDesk } from './schedule-desk.ts';

/**
 * A workflow of each minute. The fire of 12:01 started an instance, which lasts. Then no supervisor is there for some
 * fires, then one is again: its first look / the next minute / the instance ends (and those that are started for what
 * waited, one after the other) / the minute after that, by when all has ended.
 *
 * S2 = the fire of 12:02 starts. k = skipped for an instance that has not ended, x = superseded by a later one, q = queued,
 * r = takes the place of the instance, which is stopped. m3 = three in a row were missed, m? = those older than any window.
 */
const TABLE: Readonly<Record<string, string>> = {
  // Nobody was away.
  'skip none 0': ' / k2 /  / S3',
  'skip last 0': ' / k2 /  / S3',
  'skip all 0': ' / k2 /  / S3',
  'queue none 0': ' / q2 / S2 / S3',
  'queue last 0': ' / q2 / S2 / S3',
  'queue all 0': ' / q2 / S2 / S3',
  'cancel_previous none 0': ' / r2 / S2 / S3',
  'cancel_previous last 0': ' / r2 / S2 / S3',
  'cancel_previous all 0': ' / r2 / S2 / S3',
  'allow none 0': ' / S2 /  / S3',
  'allow last 0': ' / S2 /  / S3',
  'allow all 0': ' / S2 /  / S3',
  // For the fire of 12:02: it is the last one, and all.
  'skip none 1': 'm1 / k3 /  / S4',
  'skip last 1': 'k2 / k3 /  / S4',
  'skip all 1': 'k2 / k3 /  / S4',
  'queue none 1': 'm1 / q3 / S3 / S4',
  'queue last 1': 'q2 / q3 / S2 S3 / S4',
  'queue all 1': 'q2 / q3 / S2 S3 / S4',
  'cancel_previous none 1': 'm1 / r3 / S3 / S4',
  'cancel_previous last 1': 'r2 / x2 r3 / S3 / S4',
  'cancel_previous all 1': 'r2 / x2 r3 / S3 / S4',
  'allow none 1': 'm1 / S3 /  / S4',
  'allow last 1': 'S2 / S3 /  / S4',
  'allow all 1': 'S2 / S3 /  / S4',
  // For those of 12:02, 12:03 and 12:04.
  'skip none 3': 'm3 / k5 /  / S6',
  'skip last 3': 'm2 k4 / k5 /  / S6',
  'skip all 3': 'k2 k3 k4 / k5 /  / S6',
  'queue none 3': 'm3 / q5 / S5 / S6',
  'queue last 3': 'm2 q4 / q5 / S4 S5 / S6',
  'queue all 3': 'q2 q3 q4 / q5 / S2 S3 S4 S5 / S6',
  'cancel_previous none 3': 'm3 / r5 / S5 / S6',
  'cancel_previous last 3': 'm2 r4 / x4 r5 / S5 / S6',
  'cancel_previous all 3': 'x2 x3 r4 / x4 r5 / S5 / S6',
  'allow none 3': 'm3 / S5 /  / S6',
  'allow last 3': 'm2 S4 / S5 /  / S6',
  'allow all 3': 'S2 S3 S4 / S5 /  / S6',
  // The same, and all three are older than the window of ten seconds when somebody is there again.
  'skip none late': 'm? m2 / k5 /  / S6',
  'skip last late': 'm? m2 / k5 /  / S6',
  'skip all late': 'm? m2 / k5 /  / S6',
  'queue none late': 'm? m2 / q5 / S5 / S6',
  'queue last late': 'm? m2 / q5 / S5 / S6',
  'queue all late': 'm? m2 / q5 / S5 / S6',
  'cancel_previous none late': 'm? m2 / r5 / S5 / S6',
  'cancel_previous last late': 'm? m2 / r5 / S5 / S6',
  'cancel_previous all late': 'm? m2 / r5 / S5 / S6',
  'allow none late': 'm? m2 / S5 /  / S6',
  'allow last late': 'm? m2 / S5 /  / S6',
  'allow all late': 'm? m2 / S5 /  / S6',
};

const SIGNS: Readonly<Record<string, string>> = {
  'schedule.fired': 'S',
  'schedule.failed': 'F',
  'schedule.refused': 'R',
};

describe('overlap and catch_up together', () => {
  let on: ScheduleDesk;
  let workspace: string;
  let lives: LiveInstance[];
  let stopped: string[];

  before(() => {
    workspace = mkdtempSync(join(tmpdir(), 'qw-overlap-'));
    mkdirSync(join(workspace, '.q-skills'));
    const skill = { name: 'say', type: 'prompt_inline', prompt_template: 'hello' };
    writeFileSync(join(workspace, '.q-skills', 'say.json'), JSON.stringify(skill));
  });
  after(() => rmSync(workspace, { recursive: true }));

  beforeEach(() => {
    on = openScheduleDesk();
    lives = [];
    stopped = [];
    on.fleet = {
      find: (id) => lives.find(({ row }) => row.id === id) ?? null,
      create: async (run) => {
        on.audits.push(...(run.fire === null ? [] : [run.fire.audit]));
        assert.equal(on.desk.one('instance.create', { ...run, at: on.clock.wall }), null);
        const live = createLiveInstance(runningRow(run.instance.id), [], []);
        lives.push(live);
        return live;
      },
      stop: async (live) => {
        stopped.push(live.row.id);
        live.pendingStop = { kind: 'stop', by: 'test' };
      },
    };
  });
  afterEach(() => on.close());

  const set = (id: string, sql: string): void => {
    const database = new DatabaseSync(on.desk.file);
    try {
      database.prepare(`UPDATE instances SET ${sql} WHERE id = ?`).run(id);
    } finally {
      database.close();
    }
  };

  /** Ends what lives now and then; watchers are told as the fleet does, after it is durable. */
  const end = async (scheduler: Scheduler): Promise<void> => {
    for (let live = lives.shift(); live !== undefined; live = lives.shift()) {
      set(live.row.id, `status = 'completed', ended_at = ${on.clock.wall}`);
      for (const watcher of live.watchers)
        watcher({ method: 'instance.ended', params: {} } as Parameters<typeof watcher>[0]);
      await scheduler.entries();
    }
  };

  /** What was recorded of each workflow since it was asked last. */
  const news = (names: readonly string[]): Map<string, string> => {
    const fresh = on.audits.splice(0).filter(({ type }) => type.startsWith('schedule.'));
    return new Map(
      names.map((name) => [
        name,
        fresh
          .filter(({ data }) => data['workflow'] === name)
          .map(({ type, data }) => signOf(name, type, data))
          .join(' '),
      ]),
    );
  };

  function signOf(workflow: string, type: string, data: Readonly<Record<string, unknown>>): string {
    if (type === 'schedule.missed') return data['fires'] === null ? 'm?' : `m${Number(data['fires'])}`;
    const at = Date.parse(String(data['fire']));
    const minute = (at - NOON) / MINUTE_MS;
    if (type === 'schedule.skipped')
      return `${/superseded/.test(String(data['reason'])) ? 'x' : 'k'}${minute}`;
    if (type !== 'schedule.queued') return `${SIGNS[type] ?? type}${minute}`;
    const rows = on.desk.one('fire.waiting', { workflow }) as { at: number; status: string }[];
    return `${rows.find((row) => row.at === at)?.status === 'replacing' ? 'r' : 'q'}${minute}`;
  }

  const wait = (ms: number): void => {
    on.clock.wall += ms;
    on.clock.monotonic += ms;
  };

  for (const away of ['0', '1', '3', 'late'])
    test(`missed meanwhile: ${away === 'late' ? '3 fires, all older than the window' : away}`, async () => {
      const cells = Object.keys(TABLE).filter((cell) => cell.endsWith(` ${away}`));
      const starter = { workspace, userHome: workspace, configHome: workspace, person: 'p', env: {} };
      const expected: Record<string, string> = {};
      const cellOf = new Map<string, { cell: string; status: string }>();
      for (const cell of cells)
        for (const status of ['running', 'waiting']) {
          const [overlap, catchUp] = cell.split(' ');
          const name = `${overlap}-${catchUp}-${status}`.replaceAll('_', '-');
          const window = away === 'late' ? { catch_up_window: 10 } : {};
          on.register({ overlap, catch_up: catchUp, ...window }, name, starter);
          cellOf.set(name, { cell, status });
          expected[name] = TABLE[cell] ?? '';
        }
      const names = [...cellOf.keys()];
      const first = await on.begin();
      await on.pass(first, 1);
      for (const [name, said] of news(names)) assert.equal(said, 'S1', `${name}: ${on.said.join()}`);
      assert.equal(lives.length, names.length);
      const replaced: string[] = [];
      for (const { row } of lives) {
        const { workflow } = on.desk.one('instance.get', { id: row.id }) as { workflow: string };
        set(row.id, `status = '${cellOf.get(workflow)?.status}'`);
        if (cellOf.get(workflow)?.cell.startsWith('cancel_previous')) replaced.push(row.id);
      }
      first.close();

      wait(away === 'late' ? 3 * MINUTE_MS + 30_000 : Number(away) * MINUTE_MS);
      const scheduler = await on.begin();
      const found = [news(names)];
      wait(away === 'late' ? MINUTE_MS / 2 : MINUTE_MS);
      await on.look(scheduler);
      found.push(news(names));
      assert.deepEqual(stopped.sort(), replaced.sort(), 'those that are replaced are asked to stop, once');
      await end(scheduler);
      found.push(news(names));
      await on.pass(scheduler, 1);
      found.push(news(names));
      const told = names.map((name) => [name, found.map((part) => part.get(name)).join(' / ')]);
      assert.deepEqual(Object.fromEntries(told), expected);
    });

  test('an instance that ran on alone may have ended: what was missed is decided when it has told', async () => {
    const starter = { workspace, userHome: workspace, configHome: workspace, person: 'p', env: {} };
    const names = ['ended', 'lasts', 'changed', 'paused', 'w'];
    for (const name of names) on.register({ overlap: name === 'w' ? 'queue' : 'skip' }, name, starter);
    const first = await on.begin();
    await on.pass(first, 1);
    news(names);
    first.close();
    const workflowOf = ({ row }: LiveInstance): string =>
      (on.desk.one('instance.get', { id: row.id }) as { workflow: string }).workflow;
    const liveOf = new Map(lives.map((live) => [workflowOf(live), live]));
    for (const [name, live] of liveOf) {
      live.settledAt = Number.POSITIVE_INFINITY;
      if (name === 'paused') live.row = { ...live.row, pausedAt: 1 };
    }

    wait(MINUTE_MS);
    const scheduler = await on.begin();
    const none = { ended: '', lasts: '', changed: '', paused: '', w: '' };
    const told = (): object => Object.fromEntries(news(names));
    assert.deepEqual(told(), { ...none, paused: 'k2', w: 'q2' });
    await scheduler.change('changed', async () => undefined);
    assert.deepEqual(told(), { ...none, changed: 'k2' });
    set(liveOf.get('ended')?.row.id ?? '', `status = 'completed', ended_at = ${on.clock.wall}`);
    for (const live of liveOf.values()) live.settledAt = 0;
    wait(1000);
    await on.look(scheduler);
    assert.deepEqual(told(), { ...none, ended: 'S2', lasts: 'k2' });
  });
});
