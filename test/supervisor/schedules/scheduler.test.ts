import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import type { OperationName } from '../../../src/store/operations.ts';
import { MINUTE_MS, NOON, openScheduleDesk, type ScheduleDesk } from './schedule-desk.ts';

describe('the scheduler and its clocks', () => {
  let on: ScheduleDesk;
  beforeEach(() => {
    on = openScheduleDesk();
  });
  afterEach(() => on.close());

  /** The next one of these finds no room. */
  const failOnce = (fault: OperationName): void => {
    on.before = (name) => {
      if (name !== fault) return;
      on.before = () => undefined;
      throw new WorkflowError('STORE_FULL', 'no room');
    };
  };

  const jumps = (): unknown[] =>
    on.audits.filter(({ type }) => type === 'clock.jumped').map(({ data }) => data['seconds']);

  test('a clock set forward: what it passed over was missed, and catch_up says what of it starts', async () => {
    on.register({});
    const scheduler = await on.begin();
    await on.pass(scheduler, 2);
    on.clock.wall += 20 * MINUTE_MS;
    await on.look(scheduler);
    await on.pass(scheduler, 1);
    assert.deepEqual(on.fired(), [1, 2, 22, 23]);
    assert.deepEqual(on.missed(), [19]);
    assert.deepEqual(jumps(), [1200]);
    assert.ok(
      on.said.includes('warn the wall clock jumped, or the machine slept: schedules are planned again'),
      on.said.join(),
    );
  });

  test('a clock set back fires nothing twice, and is not silent until it catches up', async () => {
    on.register({});
    const scheduler = await on.begin();
    await on.pass(scheduler, 3);
    on.clock.wall -= 10 * MINUTE_MS;
    await on.look(scheduler);
    await on.pass(scheduler, 14);
    assert.deepEqual(on.fired(), [1, 2, 3, -6, -5, -4, -3, -2, -1, 0, 4, 5, 6, 7]);
    assert.deepEqual(jumps(), [-600]);
  });

  test('one that was set back while nobody was there is followed too', async () => {
    on.register({});
    await on.pass(await on.begin(), 3);
    on.clock.wall -= 2 * MINUTE_MS;
    const next = await on.begin();
    await on.pass(next, 3);
    assert.deepEqual(on.fired(), [1, 2, 3, 4]);
    // As far as can be known: behind the last fire.
    assert.deepEqual(jumps(), [-119.999]);
  });

  test('a restart decides what fired meanwhile, by the window, and nothing again', async () => {
    on.register({ catch_up: 'all', catch_up_window: 180, overlap: 'allow' });
    const first = await on.begin();
    await on.pass(first, 2);
    first.close();
    on.clock.wall += 60 * MINUTE_MS;
    const second = await on.begin();
    await on.pass(second, 1);
    second.close();
    await on.pass(await on.begin(), 1);
    assert.deepEqual(on.fired(), [1, 2, 60, 61, 62, 63, 64]);
    assert.deepEqual(on.missed(), [null]);
  });

  test('two clocks on one database: each instant once', async () => {
    on.register({ overlap: 'allow' });
    const one = await on.begin();
    const other = await on.begin();
    for (let minute = 0; minute < 4; minute += 1) {
      on.clock.wall += MINUTE_MS;
      on.clock.monotonic += MINUTE_MS;
      await Promise.all([on.look(one), on.look(other)]);
    }
    assert.deepEqual(await rowsOf(on), [1, 2, 3, 4]);
  });

  test('a database that takes nothing for a moment: the fire is decided later', async () => {
    on.register({});
    const scheduler = await on.begin();
    await on.look(scheduler);
    failOnce('fire.decide');
    await on.pass(scheduler, 1);
    assert.deepEqual(on.fired(), []);
    on.clock.wall += 1001;
    on.clock.monotonic += 1001;
    await on.look(scheduler);
    assert.deepEqual(on.fired(), [1]);
    assert.ok(
      on.said.includes('error the fires of a workflow could not be decided, trying again'),
      on.said.join(),
    );
  });

  test('a jump that the database cannot take in at once is not forgotten', async () => {
    on.register({});
    const scheduler = await on.begin();
    await on.pass(scheduler, 3);
    on.clock.wall -= 2 * MINUTE_MS;
    failOnce('schedule.set_clock');
    await on.look(scheduler);
    await on.pass(scheduler, 3);
    assert.deepEqual(on.fired(), [1, 2, 3, 4]);
    assert.deepEqual(jumps(), [-120]);
  });

  test('jitter starts a fire later, and a restart draws no other time', async () => {
    on.register({ jitter: 50 });
    const scheduler = await on.begin();
    const at: number[] = [];
    for (let second = 0; second < 180; second += 1) {
      on.clock.wall += 1000;
      on.clock.monotonic += 1000;
      await on.look(second === 90 ? await on.begin() : scheduler);
      if (on.fired().length > at.length) at.push((on.clock.wall - 1 - NOON) / 1000);
    }
    assert.deepEqual(on.fired(), [1, 2]);
    assert.ok(
      at.every((second, index) => second > (index + 1) * 60 && second <= (index + 1) * 60 + 51),
      at.join(),
    );
  });
});

/** Minutes after noon of all rows. */
async function rowsOf({ desk }: ScheduleDesk): Promise<number[]> {
  const known = desk.one('fire.known', {
    workflow: 'w',
    after: 0,
    until: Number.MAX_SAFE_INTEGER,
  }) as number[];
  return known.map((at) => (at - NOON) / MINUTE_MS);
}
