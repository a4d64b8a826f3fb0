import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stuckLimits } from '../../src/guard/stuck.ts';

test('the strictest layer counts', () => {
  assert.deepEqual(stuckLimits([{ same_call: 5 }, undefined, { same_call: 4, denials: 2 }]), {
    sameCall: 4,
    alternating: 2,
    denials: 2,
  });
});

test('without a layer there are limits too', () => {
  assert.deepEqual(stuckLimits([]), { sameCall: 3, alternating: 2, denials: 5 });
});
