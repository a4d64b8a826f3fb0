import assert from 'node:assert/strict';
import { test } from 'node:test';
import { storeError } from '../../src/store/store-file.ts';

/** As node:sqlite throws them: https://sqlite.org/rescode.html, the extended codes have the primary one in their low byte. */
function thrown(errcode: number): Error {
  return Object.assign(new Error('of SQLite'), { code: 'ERR_SQLITE_ERROR', errcode });
}

test('what SQLite throws is told by what a person can do about it', () => {
  const told = (errcode: number, what = 'cannot carry out x'): string =>
    storeError(thrown(errcode), what).code;
  const [busy, busySnapshot, locked] = [5, 517, 6];
  assert.deepEqual(
    [busy, busySnapshot, locked].map((code) => told(code)),
    Array(3).fill('STORE_BUSY'),
  );
  assert.equal(told(busy, 'cannot open the database /x'), 'STORE_BUSY');
  assert.deepEqual(
    [13, 8, 14, 10, 11, 26, 1].map((code) => told(code)),
    ['STORE_FULL', ...Array(3).fill('HOME_UNWRITABLE'), ...Array(2).fill('STORE_CORRUPT'), 'INTERNAL'],
  );
  assert.equal(told(1, 'cannot open the database /x'), 'STORE_CORRUPT');
});

test('what is locked may be tried again', () => assert.equal(storeError(thrown(5), 'x').isRetryable, true));
