import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { fileOf, load, skill } from './support.ts';

test('a problem carries the nearest right spelling', async () => {
  const { problems } = await load(fileOf([{ ...skill('a'), inptus: {} }]));
  assert.deepEqual(
    problems.map(({ path, suggestion }) => [path, suggestion]),
    [['$.steps[0].inptus', 'inputs']],
  );
});

test('composites nest 100 deep and no deeper', async () => {
  const good = await load(fileOf([nested(100)]));
  assert.deepEqual(good.problems, []);
  const { workflow, problems } = await load(fileOf([nested(101)]));
  assert.equal(workflow, null);
  assert.deepEqual(
    problems.map(({ message }) => message),
    ['composite steps are nested more than 100 deep'],
  );
});

test('10,000 steps that refer to each other load in about a second', async () => {
  const steps = Array.from({ length: 10_000 }, (_, index) =>
    skill(`s${index}`, { inputs: { value: index === 0 ? 'none' : `s${index - 1}.data` } }),
  );
  const begun = performance.now();
  const { problems } = await load(fileOf(steps));
  assert.deepEqual(problems, []);
  // A second on a quiet machine; tests run beside others.
  assert.ok(performance.now() - begun < 4000);
});

test('thousands of wrong names do not cost minutes', async () => {
  const steps = Array.from({ length: 5000 }, (_, index) =>
    skill(`step-number-${index}`, { inputs: { value: `stepnumber${index}.data` } }),
  );
  const begun = performance.now();
  const { workflow } = await load(fileOf(steps));
  assert.notEqual(workflow, null);
  assert.ok(performance.now() - begun < 10_000);
});

test('a flood of errors is cut', async () => {
  const steps = Array.from({ length: 500 }, () => skill('same'));
  const { problems } = await load(fileOf(steps));
  assert.equal(problems.length, 201);
  assert.equal(problems.at(-1)?.message, 'and 299 more problems');
});

test('a chain of undo steps is refused, however long', async () => {
  const handlers = Array.from({ length: 5000 }, (_, index) =>
    skill(`h${index}`, index < 4999 ? { undo: `h${index + 1}` } : {}),
  );
  const { workflow, problems } = await load(fileOf([skill('a', { undo: 'h0' })], { handlers }));
  assert.equal(workflow, null);
  assert.deepEqual(problems[0], {
    severity: 'error',
    path: '$.steps[0].undo',
    message: '"h0" undoes "a", so neither it nor a step inside it may have an undo',
  });
});

function nested(depth: number): JsonObject {
  let step = skill('leaf');
  for (let index = 0; index < depth; index++) step = { id: `g${index}`, type: 'parallel', steps: [step] };
  return step;
}
