import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareExpressions, stepReferences, workflowScope } from '../../src/definition/references.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { fileOf, load, skill } from './support.ts';

/** What the last of these steps names. */
async function referencesOfLast(steps: JsonObject[]): Promise<readonly string[]> {
  const context = { mutable: { n: 0 } };
  const { workflow, problems } = await load(fileOf(steps, { context }));
  assert.ok(workflow !== null, JSON.stringify(problems));
  await prepareExpressions(workflow);
  const last = workflow.steps.at(-1);
  assert.ok(last !== undefined);
  return stepReferences(last, workflowScope(workflow));
}

test('references of inputs and templates are found at any depth', async () => {
  const inputs = { x: [{ y: 'a-b.data' }], text: 'v ${{ c.n + n }}', no: 'https://c.d' };
  assert.deepEqual(await referencesOfLast([skill('a-b'), skill('c'), skill('d', { inputs })]), ['a-b', 'c']);
});

test('a condition names steps outside strings and not as fields', async () => {
  const condition = 'a-b.c == "c" && n < 3';
  const step = { id: 'e', type: 'loop', condition, steps: [skill('in-loop')] };
  assert.deepEqual(await referencesOfLast([skill('a-b'), skill('c'), step]), ['a-b']);
});

test('a step needs neither itself nor the steps inside it', async () => {
  const step = {
    id: 'e',
    type: 'loop',
    condition: 'inner.n < 3',
    steps: [skill('inner')],
    set: { n: 'e.iterations' },
  };
  assert.deepEqual(await referencesOfLast([step]), []);
});
