import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { ListedInstance } from '../../src/store/tables/instance-rows.ts';
import { type Desk, launched, openDesk, record } from './support.ts';

let desk: Desk;
beforeEach(() => {
  desk = openDesk();
});
afterEach(() => desk.close());

const page = (isLiveOnly: boolean, limit: number, after: string | null): string[] =>
  (desk.one('instance.summaries', { isLiveOnly, limit, after }) as ListedInstance[]).map(({ id }) => id);

test('instances are listed in pages: all the newest first, live ones the oldest first', () => {
  // All of them of the same moment: then in the order in which they came.
  for (const id of ['c', 'a', 'e', 'b', 'd']) desk.batch(...launched(id));
  const event = { type: 'run.ended', status: 'completed', reason: 'completed', error: null } as const;
  const entries = [{ seq: 1, at: 5, event }];
  const audits = [record('run.ended', 'e')];
  desk.one('journal.append', { id: 'e', incarnation: 1, entries, audits, approvals: null });
  assert.deepEqual(page(false, 2, null), ['d', 'b']);
  assert.deepEqual(page(false, 2, 'b'), ['e', 'a']);
  assert.deepEqual(page(false, 2, 'a'), ['c']);
  assert.deepEqual(page(false, 2, 'c'), []);
  assert.deepEqual(page(true, 2, null), ['c', 'a']);
  assert.deepEqual(page(true, 9, 'a'), ['b', 'd']);
  // One that is gone meanwhile: nothing says where it was.
  assert.deepEqual(page(false, 2, 'gone'), []);
});
