import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MAX_VALUE_CHARACTERS, refuseTooLarge } from '../../src/engine/value-size.ts';

const refusal = {
  code: 'VALUE_TOO_LARGE',
  message: `The result has more than ${MAX_VALUE_CHARACTERS} characters, too many to be kept.`,
};

test('a value is refused for the sum of its texts, names and parts', () => {
  const text = 'x'.repeat(MAX_VALUE_CHARACTERS / 4);
  refuseTooLarge('The result', { a: text, b: [text, text] });
  assert.throws(() => refuseTooLarge('The result', { a: text, b: [text, text, text] }), refusal);
  assert.throws(
    () =>
      refuseTooLarge(
        'The result',
        Array.from({ length: 5_000_000 }, () => 1),
      ),
    refusal,
  );
});
