import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nearest } from '../../src/errors/nearest.ts';

test('one letter wrong, missing, doubled or two swapped find the name', () => {
  for (const wrong of ['fetch-dat', 'fetch-dataa', 'fetch-dtaa', 'Fetch-Data', 'fetch_data']) {
    assert.equal(nearest(wrong, ['analyze', 'fetch-data']), 'fetch-data', wrong);
  }
});

test('a name that is far away finds nothing', () => {
  assert.equal(nearest('url', ['fetch-data', 'x']), undefined);
  assert.equal(nearest('a'.repeat(1000), ['aaaa']), undefined);
});
