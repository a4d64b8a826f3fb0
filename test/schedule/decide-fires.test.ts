import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  type DueFire,
  decideFires,
  type FireDecision,
  MAX_CAUGHT_UP,
  MAX_WAITING,
  type Situation,
} from '../../src/schedule/decide-fires.ts';
import { jitterOf } from '../../src/schedule/jitter.ts';

type Trigger = DueFire['trigger'];

const HOUR_MS = 3_600_000;
const NOW = 100 * HOUR_MS;
const USUAL: Trigger = { catchUp: 'last', catchUpWindowMs: HOUR_MS, overlap: 'skip' };
const HERE: Situation = { now: NOW, awakeSince: 0, isLive: false, waitingCount: 0 };

const fires = (trigger: Trigger, ...ages: readonly number[]): DueFire[] =>
  ages.map((age) => ({ at: NOW - age, due: NOW - age, trigger }));

const told = (decisions: readonly FireDecision[]): string[] =>
  decisions.map((decision) =>
    decision.action === 'miss'
      ? `miss ${decision.count} ${NOW - decision.from}..${NOW - decision.to}`
      : `${decision.action} ${NOW - decision.at}${'reason' in decision ? ` ${decision.reason}` : ''}`,
  );

describe('missed fires', () => {
  const away: Situation = { ...HERE, awakeSince: NOW };
  const ages = [2 * HOUR_MS, 30_000, 20_000, 10_000];
  test('none: none is made up for', () =>
    assert.deepEqual(told(decideFires(fires({ ...USUAL, catchUp: 'none' }, ...ages), away)), [
      'miss 4 7200000..10000',
    ]));
  test('last: one is, within the window', () => {
    assert.deepEqual(told(decideFires(fires(USUAL, ...ages), away)), [
      'miss 3 7200000..20000',
      'start 10000',
    ]);
    assert.deepEqual(told(decideFires(fires(USUAL, 2 * HOUR_MS), away)), ['miss 1 7200000..7200000']);
  });
  test('all: those within the window, under the rule of overlap', () => {
    const all: Trigger = { ...USUAL, catchUp: 'all', overlap: 'allow' };
    assert.deepEqual(told(decideFires(fires(all, ...ages), away)), [
      'miss 1 7200000..7200000',
      'start 30000',
      'start 20000',
      'start 10000',
    ]);
    assert.deepEqual(told(decideFires(fires({ ...all, overlap: 'queue' }, 3, 2, 1), away)), [
      'start 3',
      'queue 2',
      'queue 1',
    ]);
  });
  test('all is bounded to the latest thousand', () => {
    const all: Trigger = { ...USUAL, catchUp: 'all', overlap: 'allow' };
    const many = Array.from({ length: MAX_CAUGHT_UP + 5 }, (_, index) => MAX_CAUGHT_UP + 5 - index);
    const decisions = decideFires(fires(all, ...many), away);
    assert.deepEqual(told(decisions.slice(0, 2)), ['miss 5 1005..1001', 'start 1000']);
    assert.equal(decisions.length, MAX_CAUGHT_UP + 1);
  });
  test('one that comes late though somebody was there counts as missed after a minute', () => {
    const none: Trigger = { ...USUAL, catchUp: 'none', overlap: 'allow' };
    assert.deepEqual(told(decideFires(fires(none, 60_001, 60_000, 0), HERE)), [
      'miss 1 60001..60001',
      'start 60000',
      'start 0',
    ]);
  });
  test('with jitter what counts is when it was due', () =>
    assert.deepEqual(
      decideFires([{ at: NOW - 5000, due: NOW, trigger: { ...USUAL, catchUp: 'none' } }], away),
      [{ action: 'start', at: NOW - 5000 }],
    ));
});

describe('overlap', () => {
  const live: Situation = { ...HERE, isLive: true };
  const by = (overlap: Trigger['overlap'], situation: Situation): string[] =>
    told(decideFires(fires({ ...USUAL, overlap }, 2, 1), situation));
  test('skip', () => {
    const reason = 'an earlier instance has not ended';
    assert.deepEqual(by('skip', HERE), ['start 2', `skip 1 ${reason}`]);
    assert.deepEqual(by('skip', live), [`skip 2 ${reason}`, `skip 1 ${reason}`]);
  });
  test('queue, with a bound', () => {
    assert.deepEqual(by('queue', HERE), ['start 2', 'queue 1']);
    assert.deepEqual(by('queue', { ...live, waitingCount: MAX_WAITING - 1 }), [
      'queue 2',
      'skip 1 100 fires wait already',
    ]);
  });
  test('cancel_previous: the last of several alone', () => {
    assert.deepEqual(by('cancel_previous', HERE), ['skip 2 superseded by a later fire', 'start 1']);
    assert.deepEqual(by('cancel_previous', live), ['skip 2 superseded by a later fire', 'replace 1']);
  });
  test('allow', () => assert.deepEqual(by('allow', live), ['start 2', 'start 1']));
});

const triggers = fc.record({
  catchUp: fc.constantFrom('none', 'last', 'all'),
  catchUpWindowMs: fc.constantFrom(0, 60_000, HOUR_MS),
  overlap: fc.constantFrom('skip', 'queue', 'cancel_previous', 'allow'),
});
const cases = fc.record({
  fires: fc
    .record({
      triggers: fc.array(triggers, { minLength: 1, maxLength: 3 }),
      plan: fc.uniqueArray(fc.record({ age: fc.integer({ min: 0, max: 2 * HOUR_MS }), which: fc.nat(2) }), {
        selector: ({ age }) => age,
        maxLength: 30,
      }),
    })
    .map(({ triggers: all, plan }) =>
      plan
        .sort((a, b) => b.age - a.age)
        .flatMap(({ age, which }): DueFire[] => {
          const trigger = all[which % all.length];
          return trigger === undefined ? [] : [{ at: NOW - age, due: NOW - age, trigger }];
        }),
    ),
  situation: fc.record({
    now: fc.constant(NOW),
    awakeSince: fc.integer({ min: NOW - 2 * HOUR_MS, max: NOW }),
    isLive: fc.boolean(),
    waitingCount: fc.nat(3),
  }),
});

describe('for any fires and situation', () => {
  test('each fire is in exactly one decision, in order', () =>
    fc.assert(
      fc.property(cases, ({ fires: due, situation }) => {
        const decided = decideFires(due, situation).flatMap((decision) =>
          decision.action === 'miss'
            ? due.filter(({ at }) => at >= decision.from && at <= decision.to).map(({ at }) => at)
            : [decision.at],
        );
        assert.deepEqual(
          decided,
          due.map(({ at }) => at),
        );
      }),
    ));
  test('nothing starts beside another instance unless its schedule allows it', () =>
    fc.assert(
      fc.property(cases, ({ fires: due, situation }) => {
        let isTaken = situation.isLive || situation.waitingCount > 0;
        for (const decision of decideFires(due, situation)) {
          if (decision.action !== 'start') continue;
          const overlap = due.find(({ at }) => at === decision.at)?.trigger.overlap;
          assert.ok(!isTaken || overlap === 'allow', overlap);
          isTaken = true;
        }
      }),
    ));
  test('of what was missed none starts without catch_up, and at most one of a schedule with last', () =>
    fc.assert(
      fc.property(cases, ({ fires: due, situation }) => {
        const acted = new Map<Trigger, number>();
        for (const decision of decideFires(due, situation)) {
          const fire = due.find((one) => decision.action !== 'miss' && one.at === decision.at);
          if (fire === undefined || fire.due >= situation.awakeSince) continue;
          if (NOW - fire.due <= 60_000 && fire.due >= situation.awakeSince) continue;
          acted.set(fire.trigger, (acted.get(fire.trigger) ?? 0) + 1);
          assert.ok(NOW - fire.at <= fire.trigger.catchUpWindowMs);
        }
        for (const [{ catchUp }, count] of acted)
          assert.ok(catchUp === 'all' || (catchUp === 'last' && count === 1), `${catchUp} ${count}`);
      }),
    ));
});

describe('jitter', () => {
  test('is the same for the same fire, and within its bound', () =>
    fc.assert(
      fc.property(fc.string(), fc.nat(), fc.integer({ min: 0, max: HOUR_MS }), (name, at, jitterMs) => {
        const later = jitterOf(name, at, jitterMs);
        assert.ok(later >= 0 && later <= jitterMs && Number.isInteger(later), String(later));
        assert.equal(jitterOf(name, at, jitterMs), later);
      }),
    ));
  test('spreads over its bound, other workflows elsewhere', () => {
    const drawn = Array.from({ length: 1000 }, (_, index) => jitterOf(`w${index}`, NOW, 9));
    for (let value = 0; value <= 9; value += 1) {
      const times = drawn.filter((one) => one === value).length;
      assert.ok(times > 50 && times < 160, `${value} came ${times} times of 1000`);
    }
  });
});
