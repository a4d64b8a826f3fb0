import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ScheduleTrigger } from '../../src/definition/workflow.ts';
import { dueFires, planFrom } from '../../src/schedule/due-fires.ts';
import { jitterOf } from '../../src/schedule/jitter.ts';

const NOON = Date.parse('2026-06-01T12:00:00Z');

function workflow(more: Partial<ScheduleTrigger> = {}): { name: string; triggers: ScheduleTrigger[] } {
  const trigger: ScheduleTrigger = {
    type: 'schedule',
    cron: '* * * * *',
    timezone: 'UTC',
    gap: 'shift',
    fold: 'first',
    startAt: null,
    endAt: null,
    catchUp: 'last',
    catchUpWindowMs: 3_600_000,
    overlap: 'skip',
    jitterMs: 0,
    ...more,
  };
  return { name: 'w', triggers: [trigger] };
}

const minutes = async (...args: Parameters<typeof dueFires>): Promise<[number[], number | null]> => {
  const { due, nextDue } = await dueFires(...args);
  return [due.map(({ at }) => (at - NOON) / 60_000), nextDue === null ? null : (nextDue - NOON) / 60_000];
};

test('what came by now, the very instant too, and when the next comes', async () =>
  assert.deepEqual(await minutes(workflow(), NOON, NOON + 120_000), [[1, 2], 3]));

test('start_at and end_at are the first and the last that count', async () => {
  const bounded = workflow({ startAt: NOON + 120_000, endAt: NOON + 240_000 });
  assert.deepEqual(await minutes(bounded, NOON, NOON + 180_000), [[2, 3], 4]);
  assert.deepEqual(await minutes(bounded, NOON, NOON + 900_000), [[2, 3, 4], null]);
});

test('one that its jitter lets wait holds up those behind it', async () => {
  const jitterMs = 600_000;
  const late = workflow({ jitterMs });
  const first = NOON + 60_000 + jitterOf('w', NOON + 60_000, jitterMs);
  assert.ok(first > NOON + 120_000, 'this instant draws a long one');
  const { due, nextDue } = await dueFires(late, NOON, first - 1);
  assert.deepEqual([due, nextDue], [[], first]);
  const after = await dueFires(late, NOON, first);
  assert.equal(after.due[0]?.at, NOON + 60_000);
});

test('planning begins where decisions end, or where no window reaches', () => {
  assert.equal(planFrom(workflow(), NOON - 1000, NOON), NOON - 1000);
  assert.equal(planFrom(workflow({ jitterMs: 5000 }), 0, NOON), NOON - 3_605_000);
  assert.equal(planFrom(workflow({ catchUpWindowMs: 0 }), 0, NOON), NOON - 120_000);
});
