import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN } from '../../../src/cli/text/style.ts';
import { summary } from '../../../src/cli/text/summary.ts';
import { run } from '../screens/data.ts';

const NOW = Date.parse('2026-06-01T12:00:00Z');
const SCREEN = { style: PLAIN, width: 200, now: NOW };
const since = '2026-06-01T11:56:00Z';

test('a paused run says who paused it, since when, and what lets it go on', () => {
  const paused = run({ status: 'paused', paused: { by: 'person eva', since } });
  assert.deepEqual(summary(paused, SCREEN).split('\n'), [
    '… deploy paused  4kz7q2m8x1',
    '  paused by person eva 4 min ago: q workflow resume 4kz7q2m8x1 goes on',
  ]);
  const low = run({ status: 'paused', paused: { by: 'supervisor', since } });
  assert.deepEqual(summary(low, SCREEN).split('\n'), [
    '… deploy paused  4kz7q2m8x1',
    '  paused by the supervisor 4 min ago: the disk of its state folder is nearly full; with room again it goes on by itself',
  ]);
});

test('a queued run says where its turn is told', () => {
  assert.deepEqual(summary(run({ status: 'queued' }), SCREEN).split('\n'), [
    '… deploy queued  4kz7q2m8x1',
    '  what it waits for: q workflow supervisor status',
  ]);
});
