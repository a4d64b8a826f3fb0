import assert from 'node:assert/strict';
import { test } from 'node:test';
import { errorDocument } from '../../../src/supervisor/lifecycle/error-document.ts';

const LOGS = 'Read its output: q workflow logs <id> --step <path>.';

test('hints name the run and the step, those of the errors below as well', () => {
  const branch = (step: string) => ({ code: 'EXIT_NONZERO', message: 'ended', hint: LOGS, step });
  const { details, hint } = errorDocument(
    {
      code: 'BRANCH_FAILED',
      message: 'None of 2 branches succeeded.',
      step: 'p',
      details: { branches: { a: branch('p/a'), b: branch('p/$&') } },
    },
    'k3jd9',
  );
  assert.equal(hint, 'Look at the errors of the branches.');
  assert.deepEqual(details, {
    branches: {
      a: { ...branch('p/a'), hint: 'Read its output: q workflow logs k3jd9 --step p/a.' },
      b: { ...branch('p/$&'), hint: 'Read its output: q workflow logs k3jd9 --step p/$&.' },
    },
  });
});

test('without a hint of its own an error has the one of the table, and a step that is not known stays a place to fill', () => {
  const document = errorDocument({ code: 'EXIT_NONZERO', message: 'ended' }, 'k3jd9');
  assert.deepEqual(document, {
    code: 'EXIT_NONZERO',
    message: 'ended',
    step: null,
    hint: 'Read its output: q workflow logs k3jd9 --step <path>.',
  });
});

test('what only looks like a hint is data and stays as it is', () => {
  const details = { stderr: 'x', hint: 'q workflow logs <id>', list: [{ hint: LOGS }] };
  assert.deepEqual(errorDocument({ code: 'EXIT_NONZERO', message: 'm', details }, 'k').details, details);
});
