import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Diagnostics } from '../../../src/supervisor/diagnostics.ts';
import { isReturning, type LiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { createReturns } from '../../../src/supervisor/lifecycle/returns.ts';

function setUp(): { returns: ReturnType<typeof createReturns>; told: unknown[] } {
  const told: unknown[] = [];
  const log = { info: (_text: string, facts: { instances: number }) => told.push(facts.instances) };
  return { returns: createReturns(log as unknown as Diagnostics), told };
}

function left(pausedAt: number | null = null): LiveInstance {
  const live = { row: { pausedAt }, projection: { status: 'running' }, lifetime: new AbortController() };
  return live as unknown as LiveInstance;
}

test('the log hears of it once, when the last one is back or over', () => {
  const { returns, told } = setUp();
  const [first, second, third] = [left(), left(), left()];
  for (const live of [first, second, third]) returns.expect(live);
  assert.equal(returns.awaited, 3);
  returns.came(first);
  assert.deepEqual(returns.begin(), [second, third]);
  second.lifetime.abort();
  assert.deepEqual([returns.awaited, told], [1, []]);
  returns.came(third);
  assert.deepEqual([returns.awaited, told], [0, [3]]);
  returns.came(third);
  assert.deepEqual(told, [3]);
});

test('one that is back has a moment to tell how far it came; one that is over has none to tell', () => {
  const { returns } = setUp();
  const [back, over, paused] = [left(), left(), left(1)];
  for (const live of [back, over, paused]) returns.expect(live);
  assert.deepEqual([back, over, paused].map(isReturning), [true, true, false]);
  returns.came(back);
  over.lifetime.abort();
  assert.deepEqual([isReturning(back), isReturning(over)], [true, false]);
  assert.ok(back.settledAt <= performance.now() + 1000);
});

test('who stands still is not waited for, but may still come', () => {
  const { returns, told } = setUp();
  const paused = left(1);
  returns.expect(paused);
  assert.equal(returns.awaited, 0);
  assert.deepEqual(returns.begin(), [paused]);
  assert.deepEqual(told, [1]);
});

test('a start that finds nobody says nothing', () => {
  const { returns, told } = setUp();
  assert.deepEqual(returns.begin(), []);
  assert.deepEqual(told, []);
});
