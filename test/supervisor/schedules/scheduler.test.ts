import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { sha256 } from '../../../src/audit/canonical.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import type { OperationName } from '../../../src/store/operations.ts';
import type { Store } from '../../../src/store/store.ts';
import { createFleet } from '../../../src/supervisor/lifecycle/fleet.ts';
import { createScheduler, type Scheduler } from '../../../src/supervisor/schedules/scheduler.ts';
import { type Desk, openDesk, record } from '../../store/support.ts';
import { fakeContext } from '../fake-context.ts';

const NOON = Date.parse('2026-06-01T12:00:00Z');
const MINUTE_MS = 60_000;

/**
 * Fires are told by what would start: the registration says nothing about who runs it, so each is recorded as failed in
 * the place of its start, without a process.
 */
describe('the scheduler and its clocks', () => {
  let desk: Desk;
  let wall = NOON;
  let monotonic = 0;
  let fault: OperationName | null = null;
  const open: Scheduler[] = [];
  let said: string[] = [];
  const audits: { type: string; data: Readonly<Record<string, unknown>> }[] = [];

  beforeEach(() => {
    desk = openDesk();
    wall = NOON + 1;
    monotonic = 0;
    fault = null;
    audits.length = 0;
  });
  afterEach(() => {
    for (const scheduler of open.splice(0)) scheduler.close();
    desk.close();
  });

  function register(trigger: object): void {
    const text = JSON.stringify({
      name: 'w',
      version: '1.0.0',
      triggers: [{ type: 'schedule', cron: '* * * * *', ...trigger }],
      steps: [{ id: 'a', type: 'skill', skill: 's' }],
    });
    const hash = sha256(text);
    const row = {
      name: 'w',
      version: '1.0.0',
      definitionHash: hash,
      source: '/w.json',
      registeredAt: wall,
      starter: null,
    };
    const audit = { ...record('workflow.registered'), at: wall };
    desk.one('registration.put', { row, documents: { [hash]: text }, schedule: 'has', audit });
  }

  async function begin(): Promise<Scheduler> {
    const fake = fakeContext({});
    said = fake.said;
    const store: Store = {
      call: async (name, args) => {
        if (name === fault) {
          fault = null;
          throw new WorkflowError('STORE_FULL', 'no room');
        }
        note(args);
        const [reply] = desk.batch([name, args]);
        if (reply === undefined || 'error' in reply) throw new Error(JSON.stringify(reply));
        // The writer answers each name with its own type.
        return reply.answer as never;
      },
      pending: 0,
      auditSeq: 0,
      onAppended: () => () => undefined,
      close: async () => undefined,
    };
    const context = { ...fake.context, store, now: () => wall };
    const fleet = createFleet(context, { memoryBytes: 1, cpuPercent: 100, concurrentStarts: 1 });
    const scheduler = createScheduler(context, fleet, () => monotonic);
    open.push(scheduler);
    scheduler.start();
    await scheduler.entries();
    return scheduler;
  }

  function note(args: object): void {
    const given = args as {
      fire?: { audit: (typeof audits)[0] };
      audit?: (typeof audits)[0];
      entries?: typeof audits;
    };
    for (const one of [given.fire?.audit, given.audit, ...(given.entries ?? [])])
      if (one !== undefined) audits.push(one);
  }

  /** Done when the look that follows a change is over too. */
  async function look(scheduler: Scheduler): Promise<void> {
    await scheduler.change('w', async () => undefined);
    await scheduler.entries();
  }

  /** Time passes, the scheduler looking at each minute. */
  async function pass(scheduler: Scheduler, minutes: number): Promise<void> {
    for (let minute = 0; minute < minutes; minute += 1) {
      wall += MINUTE_MS;
      monotonic += MINUTE_MS;
      await look(scheduler);
    }
  }

  /** The minutes after noon that would have started something. */
  const fired = (): number[] =>
    audits
      .filter(({ type }) => type === 'schedule.failed')
      .map(({ data }) => (Date.parse(String(data['fire'])) - NOON) / MINUTE_MS);

  const missed = (): unknown[] =>
    audits.filter(({ type }) => type === 'schedule.missed').map(({ data }) => data['fires']);

  const jumps = (): unknown[] =>
    audits.filter(({ type }) => type === 'clock.jumped').map(({ data }) => data['seconds']);

  test('a clock set forward: what it passed over was missed, and catch_up says what of it starts', async () => {
    register({});
    const scheduler = await begin();
    await pass(scheduler, 2);
    wall += 20 * MINUTE_MS;
    await look(scheduler);
    await pass(scheduler, 1);
    assert.deepEqual(fired(), [1, 2, 22, 23]);
    assert.deepEqual(missed(), [19]);
    assert.deepEqual(jumps(), [1200]);
    assert.ok(
      said.includes('warn the wall clock jumped, or the machine slept: schedules are planned again'),
      said.join(),
    );
  });

  test('a clock set back fires nothing twice, and is not silent until it catches up', async () => {
    register({});
    const scheduler = await begin();
    await pass(scheduler, 3);
    wall -= 10 * MINUTE_MS;
    await look(scheduler);
    await pass(scheduler, 14);
    assert.deepEqual(fired(), [1, 2, 3, -6, -5, -4, -3, -2, -1, 0, 4, 5, 6, 7]);
    assert.deepEqual(jumps(), [-600]);
  });

  test('one that was set back while nobody was there is followed too', async () => {
    register({});
    await pass(await begin(), 3);
    wall -= 2 * MINUTE_MS;
    const next = await begin();
    await pass(next, 3);
    assert.deepEqual(fired(), [1, 2, 3, 4]);
    // As far as can be known: behind the last fire.
    assert.deepEqual(jumps(), [-119.999]);
  });

  test('a restart decides what fired meanwhile, by the window, and nothing again', async () => {
    register({ catch_up: 'all', catch_up_window: 180, overlap: 'allow' });
    const first = await begin();
    await pass(first, 2);
    first.close();
    wall += 60 * MINUTE_MS;
    const second = await begin();
    await pass(second, 1);
    second.close();
    await pass(await begin(), 1);
    assert.deepEqual(fired(), [1, 2, 60, 61, 62, 63, 64]);
    assert.deepEqual(missed(), [null]);
  });

  test('two clocks on one database: each instant once', async () => {
    register({ overlap: 'allow' });
    const one = await begin();
    const other = await begin();
    for (let minute = 0; minute < 4; minute += 1) {
      wall += MINUTE_MS;
      monotonic += MINUTE_MS;
      await Promise.all([look(one), look(other)]);
    }
    assert.deepEqual(await rowsOf(desk), [1, 2, 3, 4]);
  });

  test('a database that takes nothing for a moment: the fire is decided later', async () => {
    register({});
    const scheduler = await begin();
    await look(scheduler);
    fault = 'fire.decide';
    await pass(scheduler, 1);
    assert.deepEqual(fired(), []);
    wall += 1001;
    monotonic += 1001;
    await look(scheduler);
    assert.deepEqual(fired(), [1]);
    assert.ok(said.includes('error the fires of a workflow could not be decided, trying again'), said.join());
  });

  test('a jump that the database cannot take in at once is not forgotten', async () => {
    register({});
    const scheduler = await begin();
    await pass(scheduler, 3);
    wall -= 2 * MINUTE_MS;
    fault = 'schedule.set_clock';
    await look(scheduler);
    await pass(scheduler, 3);
    assert.deepEqual(fired(), [1, 2, 3, 4]);
    assert.deepEqual(jumps(), [-120]);
  });

  test('jitter starts a fire later, and a restart draws no other time', async () => {
    register({ jitter: 50 });
    const scheduler = await begin();
    const at: number[] = [];
    for (let second = 0; second < 180; second += 1) {
      wall += 1000;
      monotonic += 1000;
      await look(second === 90 ? await begin() : scheduler);
      if (fired().length > at.length) at.push((wall - 1 - NOON) / 1000);
    }
    assert.deepEqual(fired(), [1, 2]);
    assert.ok(
      at.every((second, index) => second > (index + 1) * 60 && second <= (index + 1) * 60 + 51),
      at.join(),
    );
  });
});

/** Minutes after noon of all rows. */
async function rowsOf(desk: Desk): Promise<number[]> {
  const known = desk.one('fire.known', {
    workflow: 'w',
    after: 0,
    until: Number.MAX_SAFE_INTEGER,
  }) as number[];
  return known.map((at) => (at - NOON) / MINUTE_MS);
}
