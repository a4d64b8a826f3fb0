import assert from 'node:assert/strict';
import { test } from 'node:test';
import { arrange, type Column, csv } from '../../../src/cli/text/list-rows.ts';

interface Row {
  readonly name: string;
  readonly status: string;
  readonly took: number | null;
}
const COLUMNS: readonly Column<Row>[] = [
  { name: 'name', value: ({ name }) => name },
  { name: 'status', value: ({ status }) => status },
  { name: 'took', value: ({ took }) => took },
];
const ROWS: readonly Row[] = [
  { name: 'deploy', status: 'failed', took: 900 },
  { name: 'test-a', status: 'completed', took: null },
  { name: 'test-b', status: 'killed', took: 1000 },
];
const names = (sort: string | null, ...filters: readonly string[]): string[] =>
  arrange(ROWS, COLUMNS, { sort, filters }).map(({ name }) => name);

test('filters: one value, one of several, anything, and not', () => {
  assert.deepEqual(names(null, 'status=failed'), ['deploy']);
  assert.deepEqual(names(null, 'status=failed,KILLED'), ['deploy', 'test-b']);
  assert.deepEqual(names(null, 'name=test*'), ['test-a', 'test-b']);
  assert.deepEqual(names(null, 'name!=test*', 'status=failed'), ['deploy']);
  assert.deepEqual(names(null, 'name=te.t-a'), []);
  assert.deepEqual(names(null, 'took='), ['test-a']);
});

test('numbers sort as numbers, and what has no value comes last either way', () => {
  assert.deepEqual(names('took'), ['deploy', 'test-b', 'test-a']);
  assert.deepEqual(names('-took'), ['test-b', 'deploy', 'test-a']);
  assert.deepEqual(names('-name'), ['test-b', 'test-a', 'deploy']);
  assert.deepEqual(names(null), ['deploy', 'test-a', 'test-b']);
});

test('a column that is not there is refused, with the nearest and all that are', () => {
  const hint = 'The columns are name, status, took.';
  assert.throws(() => names('statsu'), {
    code: 'USAGE',
    message: '--sort: there is no column "statsu"; did you mean "status"?',
    hint,
  });
  assert.throws(() => names(null, 'x=1'), { message: '--filter: there is no column "x"', hint });
  assert.throws(() => names(null, 'failed'), {
    message: '--filter takes column=value, and "failed" is not of that form',
    hint,
  });
});

test('CSV quotes what has to be quoted and nothing else', () => {
  const rows = [{ name: 'a "b", c\nd', status: 'ok', took: null }];
  assert.equal(csv(rows, COLUMNS), 'name,status,took\n"a ""b"", c\nd",ok,');
  assert.equal(csv([], COLUMNS), 'name,status,took');
});
