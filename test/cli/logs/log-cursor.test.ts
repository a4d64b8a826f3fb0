import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import fc from 'fast-check';
import { LogCursor, type LogGap, type LogLine } from '../../../src/cli/logs/log-cursor.ts';
import { listLogs } from '../../../src/cli/logs/log-files.ts';
import { openStepLog, type StepLog } from '../../../src/instance/step-log.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-logs-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const never = new AbortController().signal;
const openLog = (maxPartBytes: number): Promise<StepLog> =>
  openStepLog(folder, 'step-1-1', 'a', 1, never, maxPartBytes);
const read = (cursor: LogCursor, since = 0): (LogLine | LogGap)[] => [
  ...cursor.read(listLogs(folder), since),
];
const shown = (items: readonly (LogLine | LogGap)[]): (string | number)[] =>
  items.map((item) => (item.kind === 'gap' ? item.bytes : item.text));

test('a log that is turned over between two looks is read on where it was', async () => {
  const log = await openLog(20);
  const cursor = new LogCursor(folder, 'step-1-1');
  await log.write('stdout', Buffer.from('one\ntwo'));
  assert.deepEqual(shown(read(cursor)), ['one']);
  await log.write('stdout', Buffer.from(' and a half\nthree\n'));
  await log.write('stdout', Buffer.from('four\n'));
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.endsWith('.log')),
    ['step-1-1.25.log', 'step-1-1.7.log', 'step-1-1.log'].sort(),
  );
  assert.deepEqual(shown(read(cursor)), ['two and a half', 'three', 'four']);
  assert.deepEqual(shown(read(cursor)), []);
  cursor.close();
  log.close();
});

test('what was dropped before it was read is counted; the part that was being read is not', async () => {
  const log = await openLog(10);
  const cursor = new LogCursor(folder, 'step-1-1');
  await log.write('stdout', Buffer.from('aaaa\n'));
  assert.deepEqual(shown(read(cursor)), ['aaaa']);
  for (const text of ['bbbb\n', 'cccccccc\n', 'dddddddd\n', 'eeeeeeee\n', 'ffffffff\n', 'gggg', 'hh\n'])
    await log.write('stdout', Buffer.from(text));
  // The part with a and b is gone from the folder, and so is that with c; four are kept.
  assert.deepEqual(shown(read(cursor)), ['bbbb', 9, 'dddddddd', 'eeeeeeee', 'ffffffff', 'gggghh']);
  const late = new LogCursor(folder, 'step-1-1');
  assert.deepEqual(shown(read(late)), [19, 'dddddddd', 'eeeeeeee', 'ffffffff', 'gggghh']);
  assert.deepEqual(shown(read(new LogCursor(folder, 'step-1-1'), Date.now() + 1000)), []);
  cursor.close();
  late.close();
  log.close();
});

test('half a line of the index is no piece yet, and bytes that were cut off are counted', async () => {
  const log = await openLog(1000);
  await log.write('stdout', Buffer.from('one\n'));
  await log.write('stderr', Buffer.from('two\nthree\n'));
  log.close();
  const [index, bytes] = ['idx', 'log'].map((kind) => join(folder, `step-1-1.${kind}`));
  assert.ok(index !== undefined && bytes !== undefined);
  const whole = readFileSync(index, 'utf8');
  const cursor = new LogCursor(folder, 'step-1-1');
  // The second line is `<13 digits> e 10`; all but its newline is there.
  truncateSync(index, whole.length - 1);
  assert.deepEqual(shown(read(cursor)), ['one']);
  truncateSync(bytes, 10);
  writeFileSync(index, whole);
  assert.deepEqual(shown(read(cursor)), ['two', 'th', 4]);
  cursor.close();
});

test('every byte is read once, or counted as gone, whatever is written and looked at in between', async () => {
  const act = fc.oneof(
    fc.record({
      kind: fc.constant('write' as const),
      words: fc.array(fc.stringMatching(/^[a-z]{0,12}$/), { minLength: 1, maxLength: 4 }),
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
    }),
    fc.constant({ kind: 'look' as const }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(act, { maxLength: 60 }),
      fc.integer({ min: 20, max: 80 }),
      async (acts, size) => {
        const place = mkdtempSync(join(folder, 'p-'));
        const log = await openStepLog(place, 'step-1-1', 'a', 1, never, size);
        const cursor = new LogCursor(place, 'step-1-1');
        const items: (LogLine | LogGap)[] = [];
        let whole = '';
        for (const step of [...acts, { kind: 'look' as const }]) {
          if (step.kind === 'look') items.push(...cursor.read(listLogs(place), 0));
          else {
            const text = step.words.map((word) => `${word}\n`).join('');
            await log.write(step.stream, Buffer.from(text));
            whole += text;
          }
        }
        assert.equal(follow(whole, items), whole.length);
        cursor.close();
        log.close();
      },
    ),
    { numRuns: 300 },
  );
});

/** How far the items account for the text: lines as they are, gaps by their length. */
function follow(whole: string, items: readonly (LogLine | LogGap)[]): number {
  let at = 0;
  for (const item of items) {
    if (item.kind === 'gap') at += item.bytes;
    else {
      assert.equal(whole.slice(at, at + item.text.length + 1), `${item.text}\n`);
      at += item.text.length + 1;
    }
  }
  return at;
}
