import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { listLogs } from '../../../src/cli/logs/log-files.ts';
import { LastItems, logFilter } from '../../../src/cli/logs/log-filter.ts';
import { LogReader } from '../../../src/cli/logs/log-reader.ts';
import { firstTime, tailStart } from '../../../src/cli/logs/log-tail.ts';
import { openStepLog, type StepLog } from '../../../src/instance/step-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-tail-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const openLog = (file: string, path: string, maxPartBytes?: number): Promise<StepLog> =>
  openStepLog(folder, file, path, 1, new AbortController().signal, maxPartBytes);
const start = (lines: number): number => tailStart(folder, 'step-1', listLogs(folder), lines);

test('the last lines are found from the end, over several parts', async () => {
  const log = await openLog('step-1', 'a', 10);
  for (const text of ['1\n2\n', '3\n', '44444444\n', '5\n6\n', 'no end'])
    await log.write('stdout', Buffer.from(text));
  log.close();
  // 1 2 3 | 44444444 | 5 6, and the line without an end, counted by the newlines before and in it.
  assert.deepEqual([1, 2, 3, 4, 5, 6, 60].map(start), [15 + 2, 15, 6, 4, 2, 0, 0]);
});

test('a tail reads exactly the lines that were asked for, over several parts', async () => {
  const log = await openLog('step-1', 'a', 2000);
  for (let number = 1; number <= 500; number += 1) await log.write('stdout', Buffer.from(`line ${number}\n`));
  log.close();
  for (const tail of [1, 7, 100, 499, 500, 501]) {
    const reader = new LogReader(folder, 0, { step: null, stream: null, grep: null, tail });
    const texts = [...reader.read(() => true)].map(([, item]) => (item.kind === 'line' ? item.text : 'gap'));
    reader.close();
    assert.deepEqual([texts.length, texts.at(-1)], [Math.min(tail, 500), 'line 500']);
    assert.equal(texts[0], `line ${500 - texts.length + 1}`);
  }
});

test('the time of a log is that of its first piece', async () => {
  const before = Date.now();
  const log = await openLog('step-1', 'a');
  assert.equal(firstTime(folder, 'step-1', listLogs(folder)), 0);
  await log.write('stdout', Buffer.from('x'));
  log.close();
  const time = firstTime(folder, 'step-1', listLogs(folder));
  assert.ok(time >= before && time <= Date.now());
});

test('--step leaves others out, and the paths that can be meant hold the steps around', async () => {
  for (const [index, path] of ['a', 'group/b', 'group[1]/c'].entries()) {
    const log = await openLog(`step-${index}`, path);
    await log.write('stderr', Buffer.from(`${path}\n`));
    log.close();
  }
  const reader = new LogReader(folder, 0, { step: 'group', stream: null, grep: null, tail: null });
  assert.deepEqual(
    [...reader.read(() => true)].map(([log]) => log.path),
    ['group/b', 'group[1]/c'],
  );
  assert.equal(reader.hasFound, true);
  assert.deepEqual([...reader.paths()].sort(), ['a', 'group', 'group/b', 'group[1]', 'group[1]/c']);
});

test('--grep looks at the text without escapes, and refuses what is no expression', async () => {
  const item = (text: string, stream: 'o' | 'e' = 'o') => ({ kind: 'line', at: 0, stream, text }) as const;
  const word = await logFilter({ stream: null, grep: 'red' });
  assert.deepEqual([word(item('r\u001b[31med')), word(item('blue'))], [true, false]);
  const regex = await logFilter({ stream: 'stderr', grep: '(?i)^time.*out$' });
  assert.deepEqual(
    [regex(item('TIMED OUT', 'e')), regex(item('timeout')), regex({ kind: 'gap', at: 0, bytes: 1 })],
    [true, false, true],
  );
  await assert.rejects(logFilter({ stream: null, grep: 'a(b' }), {
    code: 'USAGE',
    message: /^--grep takes a regular expression, and "a\(b" is none: /,
  });
});

test('the last items are kept, whatever came before', () => {
  const last = new LastItems<number>(3);
  for (let number = 1; number <= 1000; number += 1) last.add(number);
  assert.deepEqual(last.take(), [998, 999, 1000]);
  const none = new LastItems<number>(0);
  none.add(1);
  assert.deepEqual(none.take(), []);
});
