import assert from 'node:assert/strict';
import { test } from 'node:test';
import { drillRow } from '../../../src/cli/kill/drill-health.ts';

const DAY_MS = 86_400_000;
const at = Date.UTC(2026, 0, 1);
const note = { at, instance: 'i', held: true };
const fix = 'q workflow kill drill';

test('a drill counts for 30 days', () => {
  const name = 'kill drill';
  assert.deepEqual(drillRow(note, at + 30 * DAY_MS), {
    name,
    state: 'ok',
    detail: 'held at 2026-01-01 00:00 UTC, 30 days ago',
    fix: null,
  });
  assert.deepEqual(drillRow(note, at + 30 * DAY_MS + 1), {
    name,
    state: 'missing',
    detail: 'the last drill was 2026-01-01 00:00 UTC, 30 days ago: it counts for 30 days',
    fix,
  });
});

test('one of today is not "0 days" old', () => {
  assert.equal(drillRow(note, at + 5).detail, 'held at 2026-01-01 00:00 UTC, less than a day ago');
});

test('no drill, and one that failed, are said', () => {
  assert.equal(drillRow(null, at).detail, 'the kill switch was never drilled');
  const failed = drillRow({ ...note, held: false }, at + DAY_MS);
  assert.deepEqual(
    [failed.state, failed.detail],
    [
      'missing',
      'the drill of 2026-01-01 00:00 UTC, 1 day ago, failed; its evidence is in the audit (kill.drilled)',
    ],
  );
});
