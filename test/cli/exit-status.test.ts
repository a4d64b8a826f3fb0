import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runExitStatus } from '../../src/cli/exit-status.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';

const error = (code: string, details?: Record<string, unknown>): StatusDocument['error'] => ({
  code,
  message: '',
  step: null,
  hint: null,
  ...(details === undefined ? {} : { details }),
});

for (const [status, failure, expected] of [
  ['completed', null, 0],
  ['failed', error('EXIT_NONZERO'), 1],
  ['failed', error('STEP_TIMEOUT'), 1],
  ['failed', error('LOOP_LIMIT'), 1],
  ['failed', error('STEP_OOM', { limit_of: 'skill' }), 1],
  ['failed', error('STEP_OOM', { limit_of: 'instance' }), 8],
  ['failed', error('MEMORY_LIMIT'), 8],
  ['failed', error('PROCESS_LIMIT'), 8],
  ['failed', error('POLICY_DENIED'), 6],
  ['failed', error('INTERNAL'), 70],
  ['failed', null, 1],
  ['timed_out', error('TIME_LIMIT'), 8],
  ['stopped', error('STOPPED'), 7],
  ['killed', error('KILLED'), 7],
  ['killed', error('POLICY_DENIED'), 6],
  ['rolled_back', error('EXIT_NONZERO'), 1],
  ['rollback_failed', error('EXIT_NONZERO'), 1],
] as const)
  test(`a run that is ${status} with ${failure?.code ?? 'no error'} exits ${expected}`, () =>
    assert.equal(runExitStatus({ status, error: failure }), expected));
