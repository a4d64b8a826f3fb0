import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeDurably } from '../../src/protocol/durable-file.ts';

test('a file comes into its place with its text and its mode, whatever lay beside it', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-durable-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'file');
  writeFileSync(`${file}.${process.pid}.new`, 'a longer text of one that was cut short', { mode: 0o640 });
  writeDurably(file, 'text');
  assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['text', 0o600]);
  writeDurably(file, 'other', 0o664);
  assert.deepEqual([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['other', 0o664]);
});
