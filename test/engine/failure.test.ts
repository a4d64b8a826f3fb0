import assert from 'node:assert/strict';
import { test } from 'node:test';
import { attempt } from '../../src/engine/failure.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { ExpressionError } from '../../src/expression/expression-error.ts';

function failureOf(thrown: Error): unknown {
  const tried = attempt('l[1]/a', () => {
    throw thrown;
  });
  assert.ok(!tried.isOk);
  const { code, message, step, details } = tried.error;
  return { code, message, step, details };
}

test('an expression that failed is named with its column', () => {
  assert.deepEqual(failureOf(new ExpressionError('division by zero', 9, 'counter / 0')), {
    code: 'EXPRESSION_FAILED',
    message: 'division by zero (column 9 of "counter / 0")',
    step: 'l[1]/a',
    details: { column: 9, source: 'counter / 0' },
  });
});

test('an error with a code keeps it and gets the step, any other is a failed expression', () => {
  assert.deepEqual(failureOf(new WorkflowError('OUTPUT_MISSING', 'no x')), {
    code: 'OUTPUT_MISSING',
    message: 'no x',
    step: 'l[1]/a',
    details: undefined,
  });
  assert.deepEqual(failureOf(new Error('odd')), {
    code: 'EXPRESSION_FAILED',
    message: 'odd',
    step: 'l[1]/a',
    details: undefined,
  });
});
