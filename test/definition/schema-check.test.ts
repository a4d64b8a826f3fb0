import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, problemsOf, skill } from '../setup/workflows.ts';

test('a misspelled step type names the allowed ones and suggests the nearest', async () => {
  const { problems } = await load({ steps: [{ id: 'a', type: 'skil', skill: 'x' }] });
  assert.deepEqual(problems, [
    {
      severity: 'error',
      path: '$.steps[0].type',
      message: '"skil" is not allowed; allowed: skill, agent, approval, parallel, conditional, loop',
      suggestion: 'skill',
    },
  ]);
});

test('an unknown key is refused with the right one, also one that was cut short or drawn out', async () => {
  const { problems } = await load({
    descr: 'x',
    steps: [skill('a', { timeout_ms: 5 })],
    resource_limits: { max_mem: 64, max: 1 },
  });
  assert.deepEqual(
    problems.map(({ path, suggestion }) => [path, suggestion]),
    [
      ['$.descr', 'description'],
      ['$.steps[0].timeout_ms', 'timeout'],
      ['$.resource_limits.max_mem', 'max_memory_mb'],
      ['$.resource_limits.max', undefined],
    ],
  );
});

test('a value outside an enumeration is quoted at its path', async () => {
  const { problems } = await load({
    steps: [{ id: 'g', type: 'parallel', steps: [skill('a')], wait_for: 'al' }],
  });
  assert.deepEqual(problems, [
    {
      severity: 'error',
      path: '$.steps[0].wait_for',
      message: '"al" is not allowed; allowed: all, any, none',
      suggestion: 'all',
    },
  ]);
});

test('a required key that stands there misspelled is told once, with what was meant', async () => {
  const { problems } = await load({
    steps: [
      { id: 'a', typ: 'skill', skill: 'run' },
      { ID: 'b', type: 'skill', skil: 'run' },
    ],
  });
  assert.deepEqual(
    problems.map(({ path, suggestion }) => `${path} ${String(suggestion)}`),
    ['$.steps[0].typ type', '$.steps[1].ID id', '$.steps[1].skil skill'],
  );
});

test('missing keys, wrong types and limits are said in words', async () => {
  assert.deepEqual(
    await problemsOf({
      version: '1.0',
      steps: [
        { id: 'a', type: 'skill' },
        { type: 'loop', id: 'l', condition: 'true', steps: [], max_iterations: 0 },
        5,
      ],
      resource_limits: { max_memory_mb: '512' },
      error_handling: { default: 'retri' },
    }),
    [
      'error $.version: "1.0" is not a version: three numbers like 1.0.0',
      'error $.steps[0].skill: "skill" is missing',
      'error $.steps[1].steps: [] is not allowed: at least 1 entry',
      'error $.steps[1].max_iterations: 0 is not allowed: at least 1',
      'error $.steps[2]: must be an object, not number 5',
      'error $.error_handling.default: "retri" is not allowed; allowed: halt, skip, retry, rollback, custom',
      'error $.resource_limits.max_memory_mb: must be a whole number, not string "512"',
    ],
  );
});

test('the id grammar holds for steps and the workflow', async () => {
  for (const id of ['Fetch', 'a_b', '-a', 'a-', '']) {
    assert.equal((await load({ steps: [skill(id)] })).workflow, null, id);
    assert.equal((await load({ name: id })).workflow, null, id);
  }
  for (const id of ['a', '1', 'a-b', 'x1-2'])
    assert.notEqual((await load({ steps: [skill(id)] })).workflow, null, id);
});

test('an unknown guardrail is an error: a misspelled one would guard nothing', async () => {
  const { problems } = await load({
    steps: [{ id: 'a', type: 'agent', agent: 'x', guardrails: { max_iteration: 5 } }],
  });
  assert.equal(problems[0]?.suggestion, 'max_iterations');
});
