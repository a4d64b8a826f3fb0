import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DEFAULT_RETRY } from '../../src/definition/workflow.ts';
import { DueHeap } from '../../src/engine/heap.ts';
import { checkOutputs } from '../../src/engine/outputs.ts';
import { framePrefix, lastId, splitPath } from '../../src/engine/paths.ts';
import { retryDelayMs } from '../../src/engine/strategy.ts';
import { isNodeEnded, NODE_STATES, RUN_STATES } from '../../src/engine/transitions.ts';

test('the heap gives the earliest first and equals in the order pushed', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(5)), (times) => {
      const heap = new DueHeap<number>();
      for (const [index, at] of times.entries()) heap.push(at, index);
      const expected = [...times.keys()].sort((a, b) => (times[a] ?? 0) - (times[b] ?? 0) || a - b);
      const given = times.map(() => heap.pop());
      assert.deepEqual(given, expected);
      assert.equal(heap.nextAt(), null);
    }),
  );
});

test('a declared output that is there passes, also one that is null', () => {
  checkOutputs({ outputs: ['a', 'b'] }, { a: 1, b: null });
});

test('a field called stdout is no text that another output could take', () => {
  const printed = { stdout: 'mine', stderr: '', exit_code: 0, duration_ms: 3 };
  assert.throws(() => checkOutputs({ outputs: ['data'] }, printed), {
    code: 'OUTPUT_MISSING',
    message: 'The declared output data is missing; the result has only stdout.',
  });
});

test('a missing output is named with what the result has', () => {
  const check = () => checkOutputs({ outputs: ['a', 'b', 'c'] }, { b: 1, stdout: 'x', exit_code: 0 });
  assert.throws(check, {
    code: 'OUTPUT_MISSING',
    message: 'The declared outputs a, c are missing; the result has only b, stdout.',
  });
  assert.throws(() => checkOutputs({ outputs: ['a'] }, { stderr: '', exit_code: 0 }), {
    message: 'The declared output a is missing; the result has no fields of its own.',
  });
  assert.throws(() => checkOutputs({ outputs: ['a', 'b'] }, { stdout: '{"a', stdout_truncated: true }), {
    message:
      'The declared outputs a, b are missing; the result has only stdout, stdout_truncated. What it printed is too long to be read whole.',
  });
});

test('delays grow as the backoff says, up to the cap, and jitter draws from all of it', () => {
  const delays = (backoff: 'fixed' | 'linear' | 'exponential') =>
    [1, 2, 3, 9].map((n) => retryDelayMs({ ...DEFAULT_RETRY, backoff, jitter: 'none' }, n, () => 0.5));
  assert.deepEqual(delays('fixed'), [1000, 1000, 1000, 1000]);
  assert.deepEqual(delays('linear'), [1000, 2000, 3000, 9000]);
  assert.deepEqual(delays('exponential'), [1000, 2000, 4000, 60_000]);
  assert.equal(
    retryDelayMs(DEFAULT_RETRY, 2, () => 0.25),
    500,
  );
});

test('paths come apart as they were put together', () => {
  assert.equal(framePrefix('g', 1, null), 'g/');
  assert.equal(framePrefix('g', 2, null), 'g~2/');
  assert.equal(framePrefix('x/l', 2, 3), 'x/l~2[3]/');
  assert.deepEqual(splitPath('l[2]/a'), { kind: 'child', prefix: 'l[2]/', id: 'a' });
  assert.deepEqual(splitPath('l[2]/a!undo'), { kind: 'service', host: 'l[2]/a', name: 'undo' });
  assert.deepEqual(splitPath('a!h/x'), { kind: 'child', prefix: 'a!h/', id: 'x' });
  assert.deepEqual(splitPath('!rollback/n'), { kind: 'child', prefix: '!rollback/', id: 'n' });
  assert.equal(lastId('a!h!g'), 'g');
});

test('no ended step moves, and every state is reached and explained', () => {
  const reached = new Set(Object.values(NODE_STATES).flatMap((row) => Object.values(row.on)));
  for (const status of ['completed', 'handled', 'skipped', 'failed', 'cancelled'] as const) {
    assert.ok(isNodeEnded(status));
  }
  for (const [status, row] of Object.entries(NODE_STATES)) {
    assert.ok(row.meaning.length > 0);
    if (status !== 'pending') assert.ok(reached.has(status as keyof typeof NODE_STATES), status);
  }
  for (const status of ['completed', 'rolled_back', 'rollback_failed'] as const) {
    assert.deepEqual(RUN_STATES[status].on, {});
  }
});
