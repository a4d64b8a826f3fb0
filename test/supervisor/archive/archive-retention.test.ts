import assert from 'node:assert/strict';
import { test } from 'node:test';
import { beyond, type Retention } from '../../../src/supervisor/archive/archive-retention.ts';

const archives = [4, 3, 2, 1].map((day) => ({
  id: day,
  ended_at: `2026-01-0${day}T00:00:00Z`,
  bytes: day * 10,
}));
const gone = (bounds: Partial<Retention>): number[] =>
  beyond(archives, { before: null, count: null, bytes: null, ...bounds }).map(({ id }) => id);

test('archives beyond an age, a count or a size go, the newest ends stay', () => {
  assert.deepEqual(gone({}), []);
  assert.deepEqual(gone({ before: Date.parse('2026-01-03T00:00:00Z') }), [2, 1]);
  assert.deepEqual(gone({ count: 3 }), [1]);
  assert.deepEqual(gone({ count: 0 }), [4, 3, 2, 1]);
  assert.deepEqual(gone({ bytes: 70 }), [2, 1]);
  // The smaller one behind the first that finds no room is not kept for it.
  assert.deepEqual(gone({ bytes: 80 }), [2, 1]);
  assert.deepEqual(gone({ bytes: 39 }), [4, 3, 2, 1]);
});
