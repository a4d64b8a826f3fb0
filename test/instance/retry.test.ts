import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileMark, retryAt } from '../../src/instance/retry.ts';

const folder = mkdtempSync(join(tmpdir(), 'qw-retry-'));
const path = join(folder, 'socket');
after(() => rmSync(folder, { recursive: true }));

/** Waited, ms, from `change` to the retry. */
async function waited(mark: string | null, ms: number, change: () => void): Promise<number> {
  const retried = Promise.withResolvers<void>();
  const begun = performance.now();
  retryAt(path, mark, ms, () => retried.resolve());
  change();
  await retried.promise;
  return performance.now() - begun;
}

test('a new file at the path is tried at once, not after the wait', { timeout: 5000 }, async () => {
  assert.ok((await waited(fileMark(path), 60_000, () => writeFileSync(path, ''))) < 3000);
  const another = join(folder, 'another');
  writeFileSync(another, '');
  assert.ok((await waited(fileMark(path), 60_000, () => renameSync(another, path))) < 3000);
});

test('what changed between the last try and the wait counts', { timeout: 5000 }, async () => {
  const before = fileMark(path);
  rmSync(path);
  writeFileSync(path, '');
  assert.ok((await waited(before, 60_000, () => undefined)) < 3000);
});

test('without a change it is tried after the wait, once', { timeout: 5000 }, async () => {
  let tries = 0;
  retryAt(path, fileMark(path), 120, () => {
    tries += 1;
  });
  assert.ok((await waited(fileMark(path), 400, () => undefined)) >= 399);
  assert.equal(tries, 1);
});

test('a path that cannot be read has no mark', () => assert.equal(fileMark(join(path, 'below')), null));
