import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openDiagnostics } from '../../src/supervisor/diagnostics.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-log-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const file = (name = 'supervisor.log'): string => join(folder, name);
const lines = (name?: string): { level: string; message: string; n?: number }[] =>
  readFileSync(file(name), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as { level: string; message: string; n?: number });

test('lines are JSON with level, time and fields, for the owner alone', async () => {
  const log = await openDiagnostics(folder);
  log.info('one', { n: 1 });
  log.error('two');
  await log.close();
  assert.deepEqual(
    lines().map(({ level, message }) => [level, message]),
    [
      ['info', 'one'],
      ['error', 'two'],
    ],
  );
  assert.match(readFileSync(file(), 'utf8'), /^\{"level":"info","message":"one","n":1,"timestamp":"\d{4}-/);
  assert.equal(statSync(file()).mode & 0o777, 0o600);
});

test('what cannot be written is counted, and the log goes on when it can be again', async () => {
  mkdirSync(file());
  const log = await openDiagnostics(folder);
  for (let n = 0; n < 1000; n += 1) log.error(`lost ${n}`);
  rmdirSync(file());
  log.info('found');
  await log.close();
  assert.deepEqual(
    lines().map(({ level, message }) => [level, message]),
    [
      ['warn', '1000 lines of this log could not be written: EISDIR'],
      ['info', 'found'],
    ],
  );
});

test('a full disk does not keep it from closing', { timeout: 5000 }, async () => {
  symlinkSync('/dev/full', file());
  const log = await openDiagnostics(folder);
  log.error('lost');
  await log.close();
});

test('it is turned over at its size, and the oldest file is dropped', async () => {
  const log = await openDiagnostics(folder, 1000);
  for (let n = 0; n < 100; n += 1) log.info('x'.repeat(300), { n });
  await log.close();
  const names = [
    'supervisor.log',
    'supervisor1.log',
    'supervisor2.log',
    'supervisor3.log',
    'supervisor4.log',
  ];
  assert.deepEqual(readdirSync(folder).sort(), names);
  for (const name of names) assert.ok(statSync(file(name)).size <= 1000);
  const numbers = names.toReversed().flatMap((name) => lines(name).map(({ n }) => n));
  assert.deepEqual(
    numbers,
    Array.from(numbers, (_, index) => 100 - numbers.length + index),
  );
});
