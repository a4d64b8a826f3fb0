import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DEFAULT_LIMITS } from '../../src/definition/workflow.ts';
import { load, skill } from '../setup/workflows.ts';

test('a silent file gets every default', async () => {
  const { workflow } = await load({ steps: [skill('a'), { id: 'b', type: 'agent', agent: 'x' }] });
  assert.deepEqual(workflow?.limits, DEFAULT_LIMITS);
  assert.deepEqual(workflow?.errorHandling.default, {
    strategy: 'halt',
    retry: null,
    then: 'halt',
    handler: null,
  });
  assert.deepEqual(workflow?.errorHandling.rollback, { isEnabled: true, steps: [] });
  assert.deepEqual(
    workflow?.steps.map((step) => 'isAsync' in step && step.isAsync),
    [false, true],
  );
});

test('seconds become milliseconds, fractions included', async () => {
  const error_handling = { default: { strategy: 'retry', initial_delay: 0.05, max_delay: 2.5 } };
  const { workflow } = await load({ steps: [skill('a', { timeout: 0.25 })], error_handling });
  const [step] = workflow?.steps ?? [];
  assert.equal(step?.type === 'skill' && step.timeoutMs, 250);
  assert.equal(workflow?.errorHandling.default.retry?.initialDelayMs, 50);
  assert.equal(workflow?.errorHandling.default.retry?.maxDelayMs, 2500);
});

test('continue_on_error alone is skip, and after retries it is the end of them', async () => {
  const per_step = { a: { continue_on_error: true }, b: { strategy: 'retry', continue_on_error: true } };
  const { workflow } = await load({ steps: [skill('a'), skill('b')], error_handling: { per_step } });
  assert.equal(workflow?.errorHandling.perStep.a?.strategy, 'skip');
  assert.equal(workflow?.errorHandling.perStep.b?.then, 'skip');
});

test('a handler named twice is one step', async () => {
  const per_step = {
    a: { strategy: 'custom', custom_handler: 'h' },
    b: { strategy: 'retry', then: 'custom', custom_handler: 'h' },
  };
  const { workflow } = await load({
    steps: [skill('a'), skill('b')],
    handlers: [skill('h')],
    error_handling: { per_step },
  });
  const policies = workflow?.errorHandling.perStep;
  assert.equal(policies?.a?.handler?.step, workflow?.handlers[0]);
  assert.equal(policies?.b?.handler?.step, workflow?.handlers[0]);
});
