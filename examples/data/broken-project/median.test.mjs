import assert from 'node:assert/strict';
import { test } from 'node:test';
import { median } from './median.mjs';

test('the median of an odd count is the number in the middle', () => {
  assert.equal(median([9, 10, 1]), 9);
});

test('the median of an even count is a mean', () => {
  assert.equal(median([4, 1, 3, 2]), 2.5);
});
