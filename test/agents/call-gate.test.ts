import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CallGate } from '../../src/agents/mcp/call-gate.ts';

/** A call that goes on until it is told to end; `log` has what happened, in order. */
function open(log: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<void>();
  const work = async (): Promise<string> => {
    log.push(`${name} begins`);
    await promise;
    log.push(`${name} ends`);
    return name;
  };
  return { work, end: resolve };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('calls run side by side, one that is alone after them and before those that come later', async () => {
  const gate = new CallGate();
  const log: string[] = [];
  const [a, b, alone, later] = ['a', 'b', 'alone', 'later'].map((name) => open(log, name));
  assert.ok(a !== undefined && b !== undefined && alone !== undefined && later !== undefined);
  const all = [gate.shared(a.work), gate.shared(b.work), gate.alone(alone.work), gate.shared(later.work)];
  await settle();
  assert.deepEqual(log, ['a begins', 'b begins']);
  a.end();
  await settle();
  assert.deepEqual(log.slice(2), ['a ends']);
  b.end();
  await settle();
  assert.deepEqual(log.slice(3), ['b ends', 'alone begins']);
  later.end();
  alone.end();
  assert.deepEqual(await Promise.all(all), ['a', 'b', 'alone', 'later']);
  assert.deepEqual(log.slice(5), ['alone ends', 'later begins', 'later ends']);
});

test('two that are alone never meet, and one that fails lets the next one in', async () => {
  const gate = new CallGate();
  const log: string[] = [];
  const second = open(log, 'second');
  const first = gate.alone(async () => {
    log.push('first begins');
    await settle();
    log.push('first ends');
    throw new Error('broken');
  });
  const next = gate.alone(second.work);
  await assert.rejects(first, /^Error: broken$/);
  await settle();
  assert.deepEqual(log, ['first begins', 'first ends', 'second begins']);
  second.end();
  assert.equal(await next, 'second');
  assert.equal(await gate.shared(async () => 'free'), 'free');
});
