import assert from 'node:assert/strict';
import { test } from 'node:test';
import { firesText, presetCron } from '../../../src/wizard/flows/schedule-flow.ts';

const NOW = Date.parse('2026-03-27T12:00:00Z');

test('the next five fires are shown on the clock of their zone, over a change of the clock', async () => {
  const text = await firesText({ type: 'schedule', cron: '30 2 * * *', timezone: 'Europe/Berlin' }, NOW);
  assert.equal(
    text,
    [
      '  30 2 * * *: the next five times',
      '    Sat 2026-03-28 02:30 Europe/Berlin',
      // The clock jumps from 02:00 to 03:00.
      '    Sun 2026-03-29 03:30 Europe/Berlin',
      '    Mon 2026-03-30 02:30 Europe/Berlin',
      '    Tue 2026-03-31 02:30 Europe/Berlin',
      '    Wed 2026-04-01 02:30 Europe/Berlin',
    ].join('\n'),
  );
});

test('an expression that never fires is said to be one', async () => {
  assert.equal(await firesText({ type: 'schedule', cron: '0 0 30 2 *' }, NOW), '  0 0 30 2 * never fires.');
});

test('presets are cron expressions', () => {
  const words = ['hour', 'day', 'weekday', 'week', 'month'].map((word) => presetCron(`every ${word}`));
  assert.deepEqual(words, ['0 * * * *', '0 9 * * *', '0 9 * * 1-5', '0 9 * * 1', '0 9 1 * *']);
  assert.deepEqual([presetCron('every constructor'), presetCron('0 9 * * *')], [null, null]);
});
