import assert from 'node:assert/strict';
import { test } from 'node:test';
import { explain, explainText } from '../../src/cli/explain.ts';
import { PLAIN } from '../../src/cli/text/style.ts';
import { ERROR_TABLE } from '../../src/errors/table.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';

const refusal = (word: string): [string, string, string] => {
  try {
    explain(word);
  } catch (error) {
    assert.ok(error instanceof WorkflowError);
    return [error.code, error.message, error.hint];
  }
  throw new Error(`${word} was explained`);
};

test('a code is explained at length, in whatever case it was written', () => {
  assert.deepEqual(explain('step-not-found'), explain('STEP_NOT_FOUND'));
  assert.equal(
    explainText(explain('STEP_NOT_FOUND'), { style: PLAIN, width: 80, now: 0 }),
    [
      'STEP_NOT_FOUND',
      '  The instance has no step at that path.',
      '',
      '  what to do    Run q workflow status <id> to see its steps.',
      '  exit status   4: no such workflow, instance or step',
      '  again         the same fails again until something is changed',
      '  docs          docs/errors.md',
    ].join('\n'),
  );
});

test('every code of the table can be explained, and a table of them fits the width', () => {
  assert.deepEqual(
    explain(null).map(({ code }) => code),
    Object.keys(ERROR_TABLE),
  );
  for (const line of explainText(explain(null), { style: PLAIN, width: 60, now: 0 }).split('\n'))
    assert.ok(line.length <= 60, line);
});

test('an exit status names the codes that end with it', () => {
  const codes = explain('8');
  assert.ok(codes.length > 1);
  for (const { exit_status: exit } of codes) assert.equal(exit, 8);
});

test('a typo names the nearest code, also where only its beginning was written', () => {
  assert.deepEqual(refusal('STEP_OMM'), [
    'USAGE',
    '"STEP_OMM" is no error code',
    'Did you mean q workflow explain STEP_OOM?',
  ]);
  assert.equal(refusal('supervisor')[2], 'Did you mean q workflow explain SUPERVISOR_UNREACHABLE?');
  assert.equal(refusal('zzzzzz')[2], 'Run q workflow explain to see them all.');
  assert.deepEqual(refusal('99').slice(0, 2), ['USAGE', 'no error has the exit status 99']);
});
