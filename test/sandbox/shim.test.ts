import assert from 'node:assert/strict';
import { test } from 'node:test';
import { barePlan, shimFailure, shimPlan } from '../../sandbox/shim.ts';

const command = { file: '/bin/echo', args: ['$(id)', ''], cwd: '/tmp', env: { PATH: '/bin' } };
const join = { tasks: ['/cg/a b/tasks'], unified: '/cg/u', oomScore: 500 };

test('paths and arguments are positional, never part of the script', () => {
  const plan = shimPlan(command, 'k/i', join);
  assert.equal(plan.file, '/bin/sh');
  assert.deepEqual(plan.args.slice(2), [
    'q-workflow-shim',
    '1',
    '/cg/a b/tasks',
    '/cg/u',
    '500',
    '',
    '',
    '/bin/echo',
    '$(id)',
    '',
  ]);
  assert.deepEqual(plan.env, { PATH: '/bin', Q_WORKFLOW_SCOPE: 'k/i' });
  assert.equal(plan.cwd, '/tmp');
});

test('a command cannot choose its own marker', () => {
  const env = { Q_WORKFLOW_SCOPE: 'other' };
  assert.deepEqual(barePlan({ ...command, env }, 'k/i').env, { Q_WORKFLOW_SCOPE: 'k/i' });
});

test('names that sh would drop or change are refused by name', () => {
  for (const name of ['A-B', 'IFS', 'OPTIND', '1A', '__q_n', '']) {
    assert.throws(() => shimPlan({ ...command, env: { [name]: 'x' } }, 'k/i', join), {
      code: 'SPAWN_FAILED',
      message: `The environment variable "${name}" cannot be given to a command.`,
    });
  }
});

test('an exit status is the shim’s only when its name is on stderr', () => {
  assert.equal(shimFailure(127, 'q-workflow-shim: 7: exec: nope: not found\n'), 'not-found');
  assert.equal(
    shimFailure(125, 'q-workflow-shim: 2: cannot create /x: Directory nonexistent\n'),
    'not-joined',
  );
  assert.equal(shimFailure(127, 'sh: nope: not found\n'), null);
  assert.equal(shimFailure(0, ''), null);
});
