import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Cron } from 'croner';
import { parseCron } from '../../src/schedule/cron-fields.ts';
import { type ClockPolicy, type Fire, firesAfter } from '../../src/schedule/fires.ts';
import { offsetIn } from '../../src/schedule/zone.ts';

const USUAL: ClockPolicy = { gap: 'shift', fold: 'first' };

async function fires(
  cron: string,
  zone: string,
  from: string,
  count: number,
  policy: ClockPolicy = USUAL,
): Promise<Fire[]> {
  const found = firesAfter(await parseCron(cron), offsetIn(zone), policy, Date.parse(from));
  return found.take(count).toArray();
}

const instants = (found: readonly Fire[]): string[] =>
  found.map(
    ({ at, change }) => `${new Date(at).toISOString().slice(0, 16)}${change === null ? '' : ` ${change}`}`,
  );

describe('fires around clock changes', () => {
  const cases: readonly [string, string, string, string, ClockPolicy, readonly string[]][] = [
    [
      'a time in the gap is shifted by the gap',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      USUAL,
      ['2026-03-29T01:30 gap', '2026-03-30T00:30'],
    ],
    [
      'or skipped',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      { gap: 'skip', fold: 'first' },
      ['2026-03-30T00:30', '2026-03-31T00:30'],
    ],
    [
      'a time in the fold fires at its first',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00:00Z',
      USUAL,
      ['2026-10-25T00:30 fold_first', '2026-10-26T01:30'],
    ],
    [
      'at its last',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00:00Z',
      { gap: 'shift', fold: 'last' },
      ['2026-10-25T01:30 fold_last', '2026-10-26T01:30'],
    ],
    [
      'or at both',
      '30 2 * * *',
      'Europe/Berlin',
      '2026-10-24T12:00:00Z',
      { gap: 'shift', fold: 'both' },
      ['2026-10-25T00:30 fold_first', '2026-10-25T01:30 fold_last', '2026-10-26T01:30'],
    ],
    [
      'a shifted fire and a plain one at one instant are one',
      '30 2,3 * * *',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      USUAL,
      ['2026-03-29T01:30 gap', '2026-03-30T00:30', '2026-03-30T01:30'],
    ],
    [
      'hours that count as time passes know no gap',
      '30 * * * *',
      'Europe/Berlin',
      '2026-03-29T00:00:00Z',
      USUAL,
      ['2026-03-29T00:30', '2026-03-29T01:30', '2026-03-29T02:30'],
    ],
    [
      'and no fold',
      '30 * * * *',
      'Europe/Berlin',
      '2026-10-25T00:00:00Z',
      USUAL,
      ['2026-10-25T00:30 fold_first', '2026-10-25T01:30 fold_last', '2026-10-25T02:30'],
    ],
    [
      'every second hour neither',
      '0 */2 * * *',
      'America/New_York',
      '2026-03-08T04:00:00Z',
      USUAL,
      ['2026-03-08T05:00', '2026-03-08T08:00', '2026-03-08T10:00'],
    ],
    [
      'a half hour change in the south',
      '15 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02T20:00:00Z',
      USUAL,
      ['2026-10-03T15:45 gap', '2026-10-04T15:15'],
    ],
    [
      'and what it leaves alone',
      '30 2 * * *',
      'Australia/Lord_Howe',
      '2026-10-02T20:00:00Z',
      USUAL,
      ['2026-10-03T15:30', '2026-10-04T15:30'],
    ],
    [
      'midnight in the gap',
      '0 0 * * *',
      'America/Santiago',
      '2026-09-05T12:00:00Z',
      USUAL,
      ['2026-09-06T04:00 gap', '2026-09-07T03:00'],
    ],
    [
      'a day that never was',
      '0 12 30 12 *',
      'Pacific/Apia',
      '2011-12-01T00:00:00Z',
      USUAL,
      ['2011-12-30T22:00 gap', '2012-12-29T22:00'],
    ],
    [
      'a change a minute after midnight takes the minutes after that',
      '0,1,5 0 * * *',
      'America/St_Johns',
      '2010-03-14T00:00:00Z',
      USUAL,
      ['2010-03-14T03:30', '2010-03-14T03:31 gap', '2010-03-14T03:35 gap', '2010-03-15T02:30'],
    ],
    [
      'and gives the hour before it twice',
      '0,8 23 * * *',
      'America/St_Johns',
      '2007-11-03T12:00:00Z',
      { gap: 'shift', fold: 'last' },
      ['2007-11-04T01:30', '2007-11-04T02:38 fold_last', '2007-11-05T02:30'],
    ],
  ];
  for (const [name, cron, zone, from, policy, expected] of cases)
    test(`${name} (${cron}, ${zone})`, async () =>
      assert.deepEqual(instants(await fires(cron, zone, from, expected.length, policy)), expected));

  test('the set of fires does not depend on when it is asked for', async () => {
    for (const zone of ['Europe/Berlin', 'America/Santiago', 'Australia/Lord_Howe'])
      for (const cron of ['*/20 0-3 * * *', '30 2 * * *', '7 */3 * * *']) {
        const begin = Date.parse('2026-03-01T00:00:00Z');
        const fields = await parseCron(cron);
        const all = firesAfter(fields, offsetIn(zone), USUAL, begin).take(500).toArray();
        for (let step = 1; step < all.length; step += 7) {
          const from = all[step - 1]?.at ?? 0;
          const [next] = firesAfter(fields, offsetIn(zone), USUAL, from).take(1).toArray();
          assert.deepEqual(next, all[step], `${cron} ${zone} after ${new Date(from).toISOString()}`);
        }
      }
  });
});

describe('days', () => {
  test('a bare * does not restrict: the 13th or a Friday', async () => {
    assert.deepEqual(instants(await fires('0 0 13 * 5', 'UTC', '2026-11-01T00:00:00Z', 4)), [
      '2026-11-06T00:00',
      '2026-11-13T00:00',
      '2026-11-20T00:00',
      '2026-11-27T00:00',
    ]);
    assert.deepEqual(instants(await fires('0 0 */10 * 1', 'UTC', '2026-11-08T00:00:00Z', 3)), [
      '2026-11-09T00:00',
      '2026-11-11T00:00',
      '2026-11-16T00:00',
    ]);
  });
  test('a leap day', async () =>
    assert.deepEqual(instants(await fires('0 0 29 2 *', 'UTC', '2096-03-01T00:00:00Z', 1)), [
      '2104-02-29T00:00',
    ]));
  test('a day that never comes', async () =>
    assert.deepEqual(await fires('0 0 30 2 *', 'UTC', '2026-01-01T00:00:00Z', 1), []));
});

const EXPRESSIONS = [
  '0 * * * *',
  '*/7 * * * *',
  '15 3 * * *',
  '0 0 1 * *',
  '30 4 1,15 * 5',
  '0 9-17 * * 1-5',
  '5 4 * * 0',
  '0 22 * * 1-5',
  '23 0-20/2 * * *',
  '0 0 29 2 *',
  '0 12 31 * *',
  '*/15 8 * 1,7 *',
  '10 6 * jan-mar mon',
  '0 0 * * 7',
  '59 23 28-31 * *',
  '30 12 10-20/3 * *',
  '0 */6 * * *',
  '1 1 1 1 *',
  '45 5 * * 2,4',
  '20 14 */2 * *',
];
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'America/Santiago',
  'Australia/Lord_Howe',
  'Australia/Sydney',
  'Asia/Kathmandu',
  'Asia/Kolkata',
  'Pacific/Apia',
  'Pacific/Kiritimati',
  'Africa/Cairo',
  'America/St_Johns',
  'Asia/Tokyo',
  'Pacific/Auckland',
  'Pacific/Chatham',
  'America/Sao_Paulo',
  'Europe/London',
  'Atlantic/Azores',
  'America/Los_Angeles',
  'Africa/Casablanca',
];

describe('against croner, away from clock changes', () => {
  for (const zone of ZONES)
    test(`${EXPRESSIONS.length} expressions in ${zone}`, async () => {
      const offset = offsetIn(zone);
      const isQuiet = (at: number): boolean => offset(at - 2 * 86_400_000) === offset(at + 2 * 86_400_000);
      let compared = 0;
      for (const cron of EXPRESSIONS) {
        let other: Date | null = new Date('2026-01-05T01:02:03Z');
        const begin = other.getTime();
        const theirs: number[] = [];
        const job = new Cron(cron, { timezone: zone, paused: true });
        while (theirs.length < 60) {
          other = job.nextRun(other);
          if (other === null) break;
          theirs.push(other.getTime());
        }
        const until = theirs.at(-1) ?? begin;
        const ours = firesAfter(await parseCron(cron), offset, USUAL, begin)
          .take(80)
          .toArray();
        assert.deepEqual(
          ours.map(({ at }) => at).filter((at) => at <= until && isQuiet(at)),
          theirs.filter(isQuiet),
          `${cron} in ${zone}`,
        );
        compared += theirs.filter(isQuiet).length;
      }
      assert.ok(compared > 500, String(compared));
    });
});
