import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decisionOf } from '../../../src/cli/run/approval-prompt.ts';

test('an answer is yes, no or later, and anything else is asked again', () => {
  const answers = ['y', ' YES ', 'n', 'no', '', 'l', 'Later', '?', 'yy', 'maybe'];
  assert.deepEqual(answers.map(decisionOf), [
    'approved',
    'approved',
    'denied',
    'denied',
    'later',
    'later',
    'later',
    null,
    null,
    null,
  ]);
});
