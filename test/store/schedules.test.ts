import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, test } from 'node:test';
import type { OperationName } from '../../src/store/operations.ts';
import type { RegistrationRow } from '../../src/store/tables/registration-rows.ts';
import type { FireRow, FireStatus, NewFire, ScheduleRow } from '../../src/store/tables/schedule-rows.ts';
import { type Desk, launched, openDesk, record } from './support.ts';

let desk: Desk;
beforeEach(() => {
  desk = openDesk();
  register('has', 1000);
});
afterEach(() => desk.close());

function register(schedule: 'has' | 'none', registeredAt: number): void {
  const row = {
    name: 'w',
    version: '1.0.0',
    definitionHash: 'd',
    source: '/w.json',
    registeredAt,
    starter: { workspace: '/ws', userHome: '/h', configHome: '/c', person: 'p', env: { A: '1' } },
  };
  desk.one('registration.put', { row, documents: { d: '{}' }, schedule, audit: record('registered') });
}

function fire(
  at: number,
  status: FireStatus,
  from: NewFire['from'],
  instance: string | null = null,
): NewFire {
  const row: FireRow = { workflow: 'w', at, status, instance, reason: null, decidedAt: at };
  return { row, from, audit: record(`schedule.${status}`, instance) };
}

/** The request that creates an instance for a fire. */
function creation(id: string, start: NewFire): [OperationName, object] {
  const [create] = launched(id);
  assert.ok(create);
  return [create[0], { ...create[1], fire: start }];
}

const decidedTo = (): unknown => (desk.one('schedule.list', {}) as { decidedTo: number }[])[0]?.decidedTo;

function auditTypes(): string[] {
  const database = new DatabaseSync(desk.file, { readOnly: true });
  try {
    return database
      .prepare('SELECT type FROM audit ORDER BY seq')
      .all()
      .map(({ type }) => String(type));
  } finally {
    database.close();
  }
}

test('a fire that starts an instance is one transaction with it, and is never given out again', () => {
  const [first] = desk.batch(creation('one', fire(2000, 'started', 'plan', 'one')));
  assert.deepEqual(first, { id: 0, answer: null });
  const [second] = desk.batch(creation('two', fire(2000, 'started', 'plan', 'two')));
  assert.deepEqual(second, {
    id: 0,
    error: {
      code: 'FIRE_DECIDED',
      message: 'the fire of w at 1970-01-01T00:00:02.000Z has been decided already',
    },
  });
  assert.equal(desk.one('instance.get', { id: 'two' }), null);
  assert.deepEqual(desk.one('fire.live', { workflow: 'w' }), ['one']);
  assert.deepEqual(auditTypes(), ['registered', 'instance.created', 'schedule.started']);
  assert.equal(decidedTo(), 2000);
});

test('two clocks in one commit: the first has it', () => {
  const replies = desk.batch(
    creation('one', fire(2000, 'started', 'plan', 'one')),
    creation('two', fire(2000, 'started', 'plan', 'two')),
  );
  assert.deepEqual(
    replies.map((reply) => ('error' in reply ? reply.error.code : 'ok')),
    ['ok', 'FIRE_DECIDED'],
  );
  assert.deepEqual(desk.one('fire.live', { workflow: 'w' }), ['one']);
});

test('a fire that waits is started once', () => {
  assert.deepEqual(desk.one('fire.decide', { fire: fire(2000, 'queued', 'plan') }), { isNew: true });
  assert.deepEqual(desk.one('fire.decide', { fire: fire(2000, 'skipped', 'plan') }), { isNew: false });
  assert.equal((desk.one('fire.waiting', { workflow: 'w' }) as FireRow[]).length, 1);
  const replies = desk.batch(
    creation('one', fire(2000, 'started', 'waiting', 'one')),
    creation('two', fire(2000, 'started', 'waiting', 'two')),
  );
  assert.deepEqual(
    replies.map((reply) => ('error' in reply ? reply.error.code : 'ok')),
    ['ok', 'FIRE_DECIDED'],
  );
  assert.deepEqual(desk.one('fire.waiting', { workflow: 'w' }), []);
});

test('one that a person asks for leaves the plan where it is', () => {
  desk.batch(creation('one', fire(5001, 'started', 'person', 'one')));
  assert.equal(decidedTo(), 1000);
  assert.deepEqual(desk.one('fire.known', { workflow: 'w', after: 1000, until: 9000 }), [5001]);
});

test('without a schedule nothing waits any more, and the instants stay given out', () => {
  desk.one('fire.decide', { fire: fire(2000, 'queued', 'plan') });
  register('none', 3000);
  assert.deepEqual(desk.one('schedule.list', {}), []);
  assert.deepEqual(desk.one('fire.waiting', { workflow: 'w' }), []);
  register('has', 1500);
  assert.equal(decidedTo(), 1500);
  assert.deepEqual(desk.one('fire.decide', { fire: fire(2000, 'queued', 'plan') }), { isNew: false });
});

test('a pause is there once, outlives an edit, and its end decides what came in between', () => {
  const pause = { workflow: 'w', by: 'person p', at: 2000, audit: record('schedule.paused') };
  assert.deepEqual(desk.one('schedule.pause', pause), { hasChanged: true });
  assert.deepEqual(desk.one('schedule.pause', pause), { hasChanged: false });
  register('has', 3000);
  const row = desk.one('schedule.get', { workflow: 'w' }) as ScheduleRow;
  assert.equal(row.pausedAt, 2000);
  assert.deepEqual(desk.one('schedule.list', {}), [row]);
  assert.deepEqual((desk.one('registration.get', { name: 'w' }) as RegistrationRow).starter, {
    workspace: '/ws',
    userHome: '/h',
    configHome: '/c',
    person: 'p',
    env: { A: '1' },
  });
  const resume = { workflow: 'w', at: 9000, audit: record('schedule.resumed') };
  assert.deepEqual(desk.one('schedule.resume', resume), { hasChanged: true });
  assert.deepEqual(desk.one('schedule.resume', resume), { hasChanged: false });
  assert.equal(decidedTo(), 9000);
  assert.deepEqual(auditTypes(), ['registered', 'schedule.paused', 'registered', 'schedule.resumed']);
});

test('the summary has the last fire of each registered workflow, and how many wait', () => {
  assert.deepEqual(desk.one('fire.summary', {}), [{ workflow: 'w', last: null, waiting: 0 }]);
  for (const at of [2000, 3000]) desk.one('fire.decide', { fire: fire(at, 'queued', 'plan') });
  const { row: last } = fire(3000, 'queued', 'plan');
  assert.deepEqual(desk.one('fire.summary', {}), [{ workflow: 'w', last, waiting: 2 }]);
  assert.equal((desk.one('schedule.get', { workflow: 'w' }) as ScheduleRow).hasWaiting, true);
  register('none', 4000);
  assert.deepEqual(desk.one('fire.summary', {}), []);
  assert.equal(desk.one('schedule.get', { workflow: 'w' }), null);
});
