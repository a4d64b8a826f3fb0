import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemLine } from '../../src/cli/base-command.ts';

test('what was probably meant is said once', () => {
  const at = { severity: 'error', path: '$.steps', suggestion: 'size(x)' } as const;
  assert.equal(
    problemLine({ ...at, message: 'there is no function len()' }),
    '$.steps: there is no function len() – did you mean "size(x)"?',
  );
  assert.equal(
    problemLine({ ...at, message: 'there is no function len(); did you mean "size(x)"? (column 5)' }),
    '$.steps: there is no function len(); did you mean "size(x)"? (column 5)',
  );
});
