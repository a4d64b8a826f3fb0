import assert from 'node:assert/strict';
import { test } from 'node:test';
import { WorkflowError } from '../../src/errors/workflow-error.ts';

test('a hint names what the error is about, so that it can be typed as it stands', () => {
  const file = '/work/$& flow.json';
  assert.equal(
    new WorkflowError('DEFINITION_INVALID', 'm', { about: { file } }).hint,
    `Mend the places named, then run q workflow validate ${file}.`,
  );
  assert.equal(
    new WorkflowError('APPROVAL_AMBIGUOUS', 'm', { about: { id: '4kz' } }).hint,
    'Name one: q workflow approve 4kz <number>; q workflow approvals shows them.',
  );
  const own = new WorkflowError('STEP_NOT_FOUND', 'm', { hint: 'see <id>', about: { id: '4kz' } });
  assert.equal(own.hint, 'see 4kz');
  assert.equal(WorkflowError.fromRecord(own.toRecord()).hint, 'see 4kz');
});
