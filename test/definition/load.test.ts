import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonObject } from '../../src/definition/workflow.ts';
import { fileOf, load, skill } from './support.ts';

/** Every example of the origin design, in one file. */
const ORIGIN: JsonObject = {
  name: 'workflow-name',
  version: '1.0.0',
  description: 'Workflow description',
  triggers: [
    { type: 'manual', description: 'User-initiated' },
    { type: 'schedule', cron: '0 9 * * *', timezone: 'UTC' },
  ],
  context: { readonly: { environment: 'production', user: 'alice' }, mutable: { counter: 0 } },
  steps: [
    {
      id: 'fetch-data',
      type: 'skill',
      skill: 'http-fetch',
      inputs: { url: 'https://api.example.com/data' },
      outputs: ['data'],
      async: false,
      timeout: 30,
    },
    {
      id: 'analyze',
      type: 'agent',
      agent: 'data-analyzer',
      inputs: { data: 'fetch-data.data' },
      outputs: ['analysis'],
      async: true,
      guardrails: { max_iterations: 10, allowed_tools: ['fs_read', 'execute_bash'] },
    },
    {
      id: 'parallel-tasks',
      type: 'parallel',
      steps: [
        { id: 'task1', type: 'skill', skill: 'process-a' },
        { id: 'task2', type: 'skill', skill: 'process-b' },
      ],
      wait_for: 'all',
    },
    {
      id: 'conditional',
      type: 'conditional',
      condition: 'fetch-data.status == 200',
      then: [{ id: 'success', type: 'skill', skill: 'process' }],
      else: [{ id: 'failure', type: 'skill', skill: 'log-error' }],
    },
    {
      id: 'loop',
      type: 'loop',
      condition: 'counter < 5',
      steps: [{ id: 'process', type: 'skill', skill: 'process-item' }],
      max_iterations: 10,
    },
  ],
  error_handling: {
    default: 'halt',
    per_step: {
      'fetch-data': { strategy: 'retry', max_attempts: 3, backoff: 'exponential' },
      analyze: { strategy: 'skip', continue_on_error: true },
    },
    rollback: { enabled: true, steps: ['cleanup'] },
  },
  resource_limits: {
    max_memory_mb: 512,
    max_cpu_percent: 50,
    max_execution_time: 3600,
    max_concurrent_steps: 5,
  },
};

test('every example of the origin design loads without a problem', async () => {
  const { workflow, problems } = await load(JSON.stringify(ORIGIN));
  assert.deepEqual(problems, []);
  assert.deepEqual(
    workflow?.steps.map(({ id, type }) => `${id} ${type}`),
    ['fetch-data skill', 'analyze agent', 'parallel-tasks parallel', 'conditional conditional', 'loop loop'],
  );
});

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

test('steps that undo each other are refused', async () => {
  const handlers = [skill('x', { undo: 'y' }), skill('y', { undo: 'x' })];
  const { workflow, problems } = await load(fileOf([skill('a', { undo: 'x' })], { handlers }));
  assert.equal(workflow, null);
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['$.steps[0].undo', '$.handlers[0].undo', '$.handlers[1].undo'],
  );
});

function nested(depth: number): JsonObject {
  let step = skill('leaf');
  for (let index = 0; index < depth; index++) step = { id: `g${index}`, type: 'parallel', steps: [step] };
  return step;
}
