import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { LogCursor } from '../../../src/cli/logs/log-cursor.ts';
import { listLogs } from '../../../src/cli/logs/log-files.ts';
import { piecesOf, type Wanted } from '../../../src/cli/logs/log-index.ts';
import { LogPart } from '../../../src/cli/logs/log-part.ts';
import { openStepLog } from '../../../src/instance/step-log.ts';

const ALL: Wanted = { since: 0, from: 0, stream: null };
const pieces = (index: string, wanted = ALL, position = 0): (string | number | boolean)[][] =>
  piecesOf(Buffer.from(index), position, wanted).map(({ at, stream, bytes, isWanted, indexBytes }) => [
    at,
    stream,
    bytes,
    isWanted,
    indexBytes,
  ]);

test('lines of one stream and millisecond are one piece, and half a line is none', () => {
  assert.deepEqual(pieces('5 o 3\n5 o 4\n5 e 1\n5 e 2\n6 e 2\n7 o 1'), [
    [5, 'o', 7, true, 12],
    [5, 'e', 3, true, 12],
    [6, 'e', 2, true, 6],
  ]);
  assert.deepEqual(pieces('7 o 1'), []);
});

test('what is not wanted is one piece, however long it took', () => {
  const index = '5 o 3\n6 o 4\n7 o 1\n8 o 9\n';
  assert.deepEqual(pieces(index, { ...ALL, since: 7 }), [
    [5, 'o', 7, false, 12],
    [7, 'o', 1, true, 6],
    [8, 'o', 9, true, 6],
  ]);
  assert.deepEqual(pieces(index, { ...ALL, from: 108 }, 100), [
    [5, 'o', 8, false, 18],
    [8, 'o', 9, true, 6],
  ]);
  assert.deepEqual(pieces(index, { ...ALL, stream: 'e' }), [[5, 'o', 17, false, 24]]);
});

test('no bytes are lost or told twice, whatever a chunk of an index is', () => {
  const line = fc.record({ at: fc.nat(3), stream: fc.constantFrom('o', 'e'), bytes: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(line), fc.nat(3), fc.nat(40), (lines, since, from) => {
      const index = lines.map(({ at, stream, bytes }) => `${at} ${stream} ${bytes}\n`).join('');
      const found = piecesOf(Buffer.from(index), 0, { since, from, stream: null });
      const sum = (values: readonly number[]): number => values.reduce((all, value) => all + value, 0);
      assert.equal(sum(found.map(({ bytes }) => bytes)), sum(lines.map(({ bytes }) => bytes)));
      assert.equal(sum(found.map(({ indexBytes }) => indexBytes)), index.length);
    }),
  );
});

test('an index that somebody else has written gives dates and sizes in their range', () => {
  const [piece] = piecesOf(Buffer.from(`${'9'.repeat(400)} x ${'8'.repeat(400)}\n`), 0, ALL);
  assert.ok(piece !== undefined && Number.isSafeInteger(piece.bytes));
  assert.equal(new Date(piece.at).getTime(), piece.at);
  assert.deepEqual(pieces('what is this\n\n-5 o -6\n'), [
    [0, 'o', 0, false, 14],
    [5, 'o', 6, true, 8],
  ]);
});

test('what the index does not tell of is not read: a full disk may take it back', () => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-logs-'));
  try {
    const base = join(folder, 'step-1-1');
    writeFileSync(`${base}.log`, 'one\ntaken back');
    writeFileSync(`${base}.idx`, '5 o 4\n');
    const cursor = new LogCursor(folder, 'step-1-1');
    const texts = (): string[] =>
      [...cursor.read(listLogs(folder), 0)].map((item) => (item.kind === 'line' ? item.text : 'gap'));
    assert.deepEqual(texts(), ['one']);
    truncateSync(`${base}.log`, 4);
    appendFileSync(`${base}.log`, 'two\n');
    appendFileSync(`${base}.idx`, '6 e 4\n');
    assert.deepEqual(texts(), ['two']);
    cursor.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('with a stream the other is passed over, not read', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-logs-'));
  try {
    const log = await openStepLog(folder, 'step-1-1', 'a', 1, new AbortController().signal);
    for (const text of ['out\n', 'more\n']) await log.write('stdout', Buffer.from(text));
    await log.write('stderr', Buffer.from('err\n'));
    log.close();
    const part = LogPart.open(join(folder, 'step-1-1'), 0);
    assert.ok(part !== null);
    const found = [...part.pieces({ ...ALL, stream: 'e' })].map(({ bytes, isWanted }) => [bytes, isWanted]);
    part.close();
    assert.deepEqual(found, [
      [9, false],
      [4, true],
    ]);
    const cursor = new LogCursor(folder, 'step-1-1', 'e');
    const items = [...cursor.read(listLogs(folder), 0)];
    cursor.close();
    assert.deepEqual(
      items.map((item) => (item.kind === 'line' ? item.text : 'gap')),
      ['err'],
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});
