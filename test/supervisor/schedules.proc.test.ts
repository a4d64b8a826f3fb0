import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench } from '../setup/bench-home.ts';

describe('schedules in the built program', { timeout: 60_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: 'hello' });
    bench.workflow('nightly', {
      triggers: [{ type: 'schedule', cron: '30 2 * * *', timezone: 'Europe/Berlin' }],
      steps: [{ id: 'only', type: 'skill', skill: 'say' }],
    });
    bench.workflow('by-hand', { steps: [{ id: 'only', type: 'skill', skill: 'say' }] });
  });
  after(() => bench.close());

  test('a workflow with one runs by hand', async () => {
    const { status, stderr } = await bench.q('run', 'nightly');
    assert.equal(status, 0, stderr);
  });

  test('schedule next shows the coming fires, and what a clock change does to them', async () => {
    const from = ['--from', '2026-03-28T12:00:00Z', '--count', '2'];
    assert.deepEqual(await bench.json('schedule', 'next', 'nightly', ...from), {
      workflow: 'nightly',
      fires: [
        {
          at: '2026-03-29T01:30:00.000Z',
          local: '2026-03-29T03:30:00+02:00',
          timezone: 'Europe/Berlin',
          cron: '30 2 * * *',
          change: 'gap',
        },
        {
          at: '2026-03-30T00:30:00.000Z',
          local: '2026-03-30T02:30:00+02:00',
          timezone: 'Europe/Berlin',
          cron: '30 2 * * *',
          change: null,
        },
      ],
    });
  });

  test('a workflow without one, and an instant without an offset, are refused with the way out', async () => {
    const none = await bench.q('schedule', 'next', 'by-hand');
    assert.equal(none.status, 4);
    assert.match(none.stderr, /the workflow by-hand has no trigger of type schedule/);
    const vague = await bench.q('schedule', 'next', 'nightly', '--from', '2026-03-28');
    assert.equal(vague.status, 2);
    assert.match(vague.stderr, /--from takes an instant with its offset, and "2026-03-28" is none/);
  });
});
