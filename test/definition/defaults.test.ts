import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEFAULT_LIMITS,
  DEFAULT_RETRY,
  type JsonObject,
  type Workflow,
} from '../../src/definition/workflow.ts';
import { fileOf, load, skill } from './support.ts';

async function normalised(text: string): Promise<Workflow> {
  const { workflow, problems } = await load(text);
  assert.ok(workflow !== null, JSON.stringify(problems));
  return workflow;
}

test('defaults fill what the file leaves out', async () => {
  const workflow = await normalised(
    fileOf([skill('a', { timeout: 0.5 }), { id: 'b', type: 'agent', agent: 'x' }]),
  );
  assert.deepEqual(workflow.limits, DEFAULT_LIMITS);
  assert.deepEqual(workflow.errorHandling.default, {
    strategy: 'halt',
    retry: null,
    then: 'halt',
    handler: null,
  });
  assert.deepEqual(workflow.errorHandling.rollback, { isEnabled: true, steps: [] });
  const [a, b] = workflow.steps;
  assert.deepEqual(a, {
    id: 'a',
    description: '',
    set: {},
    writes: [],
    undo: null,
    sandbox: null,
    inputs: {},
    outputs: [],
    isAsync: false,
    timeoutMs: 500,
    onResume: 'rerun',
    type: 'skill',
    skill: 'run',
  });
  assert.equal(b?.type === 'agent' && b.isAsync, true);
});

test('retry in a word has the default numbers', async () => {
  const workflow = await normalised(fileOf([skill('a')], { error_handling: { default: 'retry' } }));
  assert.deepEqual(workflow.errorHandling.default, {
    strategy: 'retry',
    retry: DEFAULT_RETRY,
    then: 'halt',
    handler: null,
  });
});

test('continue_on_error means skip', async () => {
  const per_step = { a: { continue_on_error: true }, b: { strategy: 'retry', continue_on_error: true } };
  const { errorHandling } = await normalised(
    fileOf([skill('a'), skill('b')], { error_handling: { per_step } }),
  );
  assert.equal(errorHandling.perStep.a?.strategy, 'skip');
  assert.equal(errorHandling.perStep.b?.then, 'skip');
});

test('inputs take their forms at any depth', async () => {
  const inputs: JsonObject = {
    url: 'https://example.com/a.b',
    whole: 'a',
    deep: [{ name: 'a.items[0].name' }, 1],
    text: 'hi ${{ a.name }}',
    secret: { secret: 'TOKEN' },
    same: { literal: 'a.items' },
    plain: { list: ['x', 'y'] },
  };
  const { steps } = await normalised(fileOf([skill('a'), skill('b', { inputs })]));
  const step = steps[1];
  assert.deepEqual(step?.type === 'skill' && step.inputs, {
    url: { kind: 'literal', value: 'https://example.com/a.b' },
    whole: { kind: 'ref', source: 'a', segments: ['a'] },
    deep: {
      kind: 'array',
      items: [
        {
          kind: 'object',
          fields: { name: { kind: 'ref', source: 'a.items[0].name', segments: ['a', 'items', 0, 'name'] } },
        },
        { kind: 'literal', value: 1 },
      ],
    },
    text: { kind: 'template', source: 'hi ${{ a.name }}' },
    secret: { kind: 'secret', name: 'TOKEN' },
    same: { kind: 'literal', value: 'a.items' },
    plain: { kind: 'literal', value: { list: ['x', 'y'] } },
  });
});

test('a handler is a step of handlers, else any step, which leaves the flow, else a skill', async () => {
  const group = { id: 'group', type: 'parallel', steps: [skill('inner'), skill('nested')] };
  const workflow = await normalised(
    fileOf([skill('a', { undo: 'declared' }), group, skill('top')], {
      handlers: [skill('declared')],
      error_handling: { rollback: { steps: ['top', 'nested', 'clean_up', skill('in-place')] } },
    }),
  );
  assert.equal(workflow.steps[0]?.undo?.step, workflow.handlers[0]);
  const [, flowGroup] = workflow.steps;
  assert.deepEqual(
    workflow.steps.map(({ id }) => id),
    ['a', 'group'],
  );
  assert.deepEqual(flowGroup?.type === 'parallel' && flowGroup.steps.map(({ id }) => id), ['inner']);
  assert.deepEqual(
    workflow.errorHandling.rollback.steps.map(({ id, step }) => [id, step.type === 'skill' && step.skill]),
    [
      ['top', 'run'],
      ['nested', 'run'],
      ['clean_up', 'clean_up'],
      ['in-place', 'run'],
    ],
  );
});
