import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournalStream } from '../../src/supervisor/intake/journal-log.ts';

test('lines that the journal does not take are counted before the next that it takes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'journal');
  const descriptor = openSync(file, 'a');
  closeSync(descriptor);
  // A descriptor that is closed takes nothing.
  const stream = openJournalStream(descriptor, (count, why) => `lost ${count}: ${why}\n`);
  stream.write('one\n');
  stream.write('two\n');
  assert.equal(openSync(file, 'a'), descriptor, 'the number is free again');
  stream.write('three\n');
  assert.equal(readFileSync(file, 'utf8'), 'lost 2: EBADF\nthree\n');
  closeSync(descriptor);
});
