import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openQuietCollector } from '../../../src/supervisor/upkeep/quiet-collector.ts';

const LOOK_MS = 15_000;

test('garbage is collected once after much was recorded, when nothing is recorded any more', (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const done: string[] = [];
  const store = { auditSeq: 1000, giveBack: () => void done.push('thread') };
  const collector = openQuietCollector(store, () => void done.push('main'));
  const record = (count: number): void => {
    store.auditSeq += count;
    t.mock.timers.tick(LOOK_MS);
  };
  record(0);
  record(200);
  record(0);
  assert.deepEqual(done, [], 'little was recorded');
  record(200);
  assert.deepEqual(done, [], 'it is still at work');
  record(0);
  assert.deepEqual(done, ['main', 'thread']);
  record(0);
  record(100);
  record(0);
  assert.equal(done.length, 2, 'only little since');
  collector.close();
  record(1000);
  record(0);
  assert.equal(done.length, 2, 'it is closed');
});
