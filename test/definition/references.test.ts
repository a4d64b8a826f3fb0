import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  allSteps,
  prepareExpressions,
  stepReferences,
  workflowScope,
} from '../../src/definition/references.ts';
import { load, skill } from '../setup/workflows.ts';

test('the references of a step are those of its inputs, condition and set, without its own and inner ids', async () => {
  const { workflow } = await load({
    context: { mutable: { n: 0 } },
    steps: [
      skill('a'),
      skill('b-1', { inputs: { x: ['a.x', '${{ a.y + n }}'] }, set: { n: 'b-1.count' } }),
      {
        id: 'loop',
        type: 'loop',
        condition: 'c.done != true && b-1.go',
        steps: [skill('c', { inputs: { x: 'b-1' } })],
      },
    ],
  });
  assert.ok(workflow !== null);
  await prepareExpressions(workflow);
  const scope = workflowScope(workflow);
  const references = allSteps(workflow).map((step) => [step.id, stepReferences(step, scope)]);
  assert.deepEqual(references, [
    ['a', []],
    ['b-1', ['a']],
    ['loop', ['b-1']],
    ['c', ['b-1']],
  ]);
});
