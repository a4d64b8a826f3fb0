import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { LogLine } from '../../../src/cli/logs/log-cursor.ts';
import { type LogItem, type LogSource, merged } from '../../../src/cli/logs/log-merge.ts';

const line = (at: number, text = String(at)): LogLine => ({ kind: 'line', at, stream: 'o', text });
const source = (path: string, times: readonly number[], opened: string[] = []): LogSource => ({
  log: { path, attempt: 1, file: path },
  startsAt: times[0] ?? 0,
  *open(): Generator<LogItem> {
    opened.push(path);
    for (const at of times) yield line(at);
  },
});
const shown = (sources: readonly LogSource[]): string[] =>
  [...merged(sources)].map(([log, item]) => `${log.path}${item.at}`);

test('logs are merged by time, and at the same time in the order of their steps', () => {
  assert.deepEqual(shown([source('a', [1, 4, 4]), source('b', [2, 4, 9]), source('c', [])]), [
    'a1',
    'b2',
    'a4',
    'a4',
    'b4',
    'b9',
  ]);
});

test('a log is opened when its time comes, not before', () => {
  const opened: string[] = [];
  const items = merged([source('late', [50], opened), source('early', [1, 2, 60], opened)]);
  assert.equal(items.next().value?.[1].at, 1);
  assert.equal(items.next().value?.[1].at, 2);
  assert.deepEqual(opened, ['early']);
  assert.equal(items.next().value?.[1].at, 50);
  assert.deepEqual(opened, ['early', 'late']);
});

test('whatever the times are, nothing is lost and the order is that of time', () => {
  const times = fc.array(fc.nat({ max: 50 })).map((list) => list.sort((a, b) => a - b));
  fc.assert(
    fc.property(fc.array(times, { maxLength: 6 }), (lists) => {
      const all = [...merged(lists.map((list, index) => source(`s${index}`, list)))].map(
        ([, item]) => item.at,
      );
      assert.deepEqual(
        all,
        lists.flat().sort((a, b) => a - b),
      );
    }),
  );
});
