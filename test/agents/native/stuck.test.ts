import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CallRecord, stuckReason } from '../../../src/agents/native/stuck.ts';
import { stuckLimits } from '../../../src/guard/stuck.ts';

const LIMITS = stuckLimits([]);

/** One call an answer. */
const answers = (...calls: readonly (readonly [string, Partial<CallRecord>?])[]): CallRecord[] =>
  calls.map(([key, more], iteration) => ({ iteration, key, outcome: 'ok', hash: 'r', ...more }));

test('the same call with the same result three times in a row', () => {
  const same = answers(['read'], ['read'], ['read']);
  assert.equal(stuckReason(same, LIMITS), 'the same call gave the same result 3 times: read');
  assert.equal(stuckReason(same.slice(1), LIMITS), null);
  assert.equal(stuckReason(answers(['read'], ['read'], ['read', { hash: 'other' }]), LIMITS), null);
  assert.equal(stuckReason(answers(['read'], ['list'], ['read']), LIMITS), null);
  assert.equal(
    stuckReason(same.slice(1), { ...LIMITS, sameCall: 2 }),
    'the same call gave the same result 2 times: read',
  );
});

test('two calls that take turns', () => {
  const turns = answers(['a'], ['b'], ['a'], ['b']);
  assert.equal(stuckReason(turns, LIMITS), 'two calls alternate with the same results: a and b');
  assert.equal(stuckReason(turns.slice(1), LIMITS), null);
  assert.equal(stuckReason(answers(['a'], ['b'], ['a'], ['b', { hash: 'new' }]), LIMITS), null);
  assert.equal(stuckReason(turns, { ...LIMITS, alternating: 3 }), null);
  const longer = answers(['a'], ['b'], ['a'], ['b'], ['a'], ['b']);
  assert.notEqual(stuckReason(longer, { ...LIMITS, alternating: 3 }), null);
});

test('five denials or errors in a row', () => {
  const bad = (index: number): readonly [string, Partial<CallRecord>] => [
    `read ${index}`,
    { outcome: index % 2 === 0 ? 'denied' : 'error' },
  ];
  const five = answers(...[0, 1, 2, 3, 4].map(bad));
  assert.equal(stuckReason(five, LIMITS), '5 tool calls in a row were denied or failed');
  assert.equal(stuckReason(five.slice(1), LIMITS), null);
  assert.equal(stuckReason([...five, ...answers(['list'])], LIMITS), null);
  assert.equal(
    stuckReason(five.slice(0, 1), { ...LIMITS, denials: 1 }),
    '1 tool calls in a row were denied or failed',
  );
});

test('the calls of one answer count together, and nothing is stuck before the first', () => {
  const together = answers(['a'], ['a'], ['a'], ['a']).map((call) => ({ ...call, iteration: 1 }));
  assert.equal(stuckReason(together, LIMITS), null);
  assert.equal(stuckReason([], LIMITS), null);
});
