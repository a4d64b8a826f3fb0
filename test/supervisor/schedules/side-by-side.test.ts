import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import type { NewFire } from '../../../src/store/tables/schedule-rows.ts';
import { MINUTE_MS, NOON, openScheduleDesk, type ScheduleDesk } from './schedule-desk.ts';

/** What is decided, in the order in which it goes to the database. */
const fireOf = (args: object): NewFire['row'] => (args as { fire: NewFire }).fire.row;

describe('fires of several workflows', () => {
  let on: ScheduleDesk;
  beforeEach(() => {
    on = openScheduleDesk();
  });
  afterEach(() => on.close());

  const later = (ms: number): void => {
    on.clock.wall += ms;
    on.clock.monotonic += ms;
  };

  test('those of one instant are decided side by side, eight at a time', async () => {
    const names = Array.from({ length: 10 }, (_, index) => `w${index}`);
    for (const name of names) on.register({}, name);
    const scheduler = await on.begin();
    const waiting: (() => void)[] = [];
    on.before = (name) =>
      name === 'fire.decide' ? new Promise<void>((resolve) => waiting.push(resolve)) : undefined;
    later(MINUTE_MS);
    const looked = on.look(scheduler);
    const sizes: number[] = [];
    for (let decided = 0; decided < names.length; decided += sizes.at(-1) ?? 0) {
      // Far more turns than a visit has awaits: nobody else can come.
      for (let turn = 0; turn < 100; turn += 1) await setImmediate();
      sizes.push(waiting.length);
      assert.notEqual(waiting.length, 0, `${decided} decided, and none waits`);
      for (const go of waiting.splice(0)) go();
    }
    await looked;
    assert.deepEqual(sizes, [8, 2]);
    assert.equal(on.fired().length, 10);
  });

  test('those of one workflow are decided in the order of their instants, one at a time', async () => {
    for (const name of ['a', 'b', 'c']) on.register({ catch_up: 'all', overlap: 'allow' }, name);
    later(5 * MINUTE_MS);
    const busy = new Set<string>();
    const seen: Record<string, number[]> = { a: [], b: [], c: [] };
    let most = 0;
    on.before = async (name, args) => {
      if (name !== 'fire.decide') return;
      const { workflow, at } = fireOf(args);
      assert.ok(!busy.has(workflow), `two fires of ${workflow} at once`);
      busy.add(workflow);
      most = Math.max(most, busy.size);
      // Each takes another time, as commits do.
      for (let turn = 0; turn < (at / MINUTE_MS + workflow.charCodeAt(0)) % 5; turn += 1)
        await setImmediate();
      seen[workflow]?.push((at - NOON) / MINUTE_MS);
      busy.delete(workflow);
    };
    await on.begin();
    assert.deepEqual(seen, { a: [1, 2, 3, 4, 5], b: [1, 2, 3, 4, 5], c: [1, 2, 3, 4, 5] });
    assert.equal(most, 3);
  });

  test('one that has much to catch up on does not keep others waiting, and misses nothing of it', async () => {
    on.register({ cron: '* * * * * *', catch_up: 'all', catch_up_window: 20, overlap: 'allow' }, 'much');
    on.register({ cron: '22 * * * * *' }, 'other');
    later(20_000);
    const order: string[] = [];
    on.before = (name, args) => {
      if (name !== 'fire.decide') return;
      order.push(fireOf(args).workflow);
      later(150);
    };
    const scheduler = await on.begin();
    await scheduler.change('much', async () => undefined);
    const much = order.filter((workflow) => workflow === 'much').length;
    // 20 of before, and those that came while they were decided, which took 150 ms each.
    assert.ok(much >= 23 && much <= 24, String(much));
    // That of 12:00:22, after two seconds of deciding: not after all 20.
    const other = order.indexOf('other');
    assert.ok(other >= 13 && other < 19, order.join());
    assert.deepEqual(on.missed(), [], 'the window is that of the first look');
  });

  test('one that fails leaves the others alone, and what is left of it is decided anew', async () => {
    on.register({ catch_up: 'all', overlap: 'allow' }, 'full');
    on.register({ catch_up: 'all', overlap: 'allow' }, 'well');
    later(3 * MINUTE_MS);
    let refused = 0;
    on.before = (name, args) => {
      if (name !== 'fire.decide' || fireOf(args).workflow !== 'full') return;
      if (fireOf(args).at !== NOON + 2 * MINUTE_MS || refused > 0) return;
      refused += 1;
      throw new WorkflowError('STORE_FULL', 'no room');
    };
    const scheduler = await on.begin();
    const minutes = (workflow: string): number[] =>
      on.audits
        .filter(({ type, data }) => type === 'schedule.failed' && data['workflow'] === workflow)
        .map(({ data }) => (Date.parse(String(data['fire'])) - NOON) / MINUTE_MS);
    assert.deepEqual([minutes('full'), minutes('well')], [[1], [1, 2, 3]]);
    later(1001);
    await on.look(scheduler);
    assert.deepEqual(
      [minutes('full'), minutes('well')],
      [
        [1, 2, 3],
        [1, 2, 3],
      ],
    );
  });

  test('what is left to catch up on ends with an edit only after all of it is decided', async () => {
    on.register({ cron: '* * * * * *', catch_up: 'all', catch_up_window: 20, overlap: 'allow' });
    later(20_000);
    on.before = (name) => {
      if (name === 'fire.decide') on.clock.monotonic = on.clock.monotonic + 60;
    };
    const scheduler = await on.begin();
    const before = on.fired().length;
    assert.ok(before < 20, String(before));
    await scheduler.change('w', async () => on.register({ cron: '0 0 1 1 *' }));
    await scheduler.entries();
    assert.equal(on.fired().length, 20);
  });
});
