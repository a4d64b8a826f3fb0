import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, loadWorkflow, problemsOf, skill } from '../setup/workflows.ts';
import { ORIGIN_EXAMPLE } from './origin-design.ts';

test('every example of the origin design loads without a problem', async () => {
  const { workflow, problems } = await loadWorkflow(ORIGIN_EXAMPLE);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    workflow?.steps.map((step) => step.type),
    ['skill', 'agent', 'parallel', 'conditional', 'loop'],
  );
  assert.equal(workflow?.errorHandling.perStep['fetch-data']?.retry?.maxDelayMs, 60_000);
  assert.deepEqual(
    workflow?.errorHandling.rollback.steps.map(({ id, step }) => [id, step.type]),
    [['cleanup', 'skill']],
  );
  assert.equal(workflow?.limits.maxCpuPercent, 50);
});

test('errors of the schema and of meaning come in one go', async () => {
  assert.deepEqual(
    await problemsOf({
      descriptin: 'x',
      steps: [skill('a', { inputs: { x: 'b.y' } }), skill('b', { timeout: 'soon' })],
      error_handling: { per_step: { fetchh: 'skip' } },
    }),
    [
      'error $.descriptin: unknown key "descriptin"; allowed here: name, version, description, triggers, inputs, context, steps, handlers, error_handling, resource_limits, sandbox',
      'error $.steps[1].timeout: must be a number, not string "soon"',
      'error $.steps[0].inputs.x: step "b" runs later',
      'error $.error_handling.per_step.fetchh: there is no step "fetchh"',
    ],
  );
});

test('a syntax error names the file, the line and the column', async () => {
  const { workflow, problems } = await loadWorkflow('{"name": "x",\n "version": }', { file: 'w.json' });
  assert.equal(workflow, null);
  assert.deepEqual(problems, [
    {
      severity: 'error',
      path: '$',
      message: "w.json: not valid JSON: Unexpected token '}' (line 2, column 13)",
    },
  ]);
});

test('100 composites in each other load, and hostile nesting is refused without a stack overflow', async () => {
  let step: object = skill('leaf');
  for (let depth = 0; depth < 100; depth++) step = { id: `n${depth}`, type: 'parallel', steps: [step] };
  assert.deepEqual((await load({ steps: [step] })).problems, []);
  for (const text of ['['.repeat(100_000), '{"a":'.repeat(100_000)]) {
    const [problem] = (await loadWorkflow(text)).problems;
    assert.match(problem?.message ?? '', /nested deeper than 512 levels \(line 1, column \d+\)/);
  }
});

test('10,000 steps that refer to each other load in a second', async () => {
  const steps = Array.from({ length: 10_000 }, (_, index) =>
    skill(`s${index}`, index === 0 ? {} : { inputs: { x: `s${index - 1}.data` } }),
  );
  // CPU time of this process: other tests run beside it.
  const before = process.cpuUsage();
  const { workflow } = await load({ steps });
  assert.equal(workflow?.steps.length, 10_000);
  const { user, system } = process.cpuUsage(before);
  assert.ok(user + system < 1_000_000, `${(user + system) / 1000} ms of CPU`);
});

test('many problems are cut at 200, and the rest is counted', async () => {
  const { problems } = await load({
    steps: Array.from({ length: 300 }, (_, index) => skill(`s${index}`, { foo: 1 })),
  });
  assert.equal(problems.length, 201);
  assert.equal(problems.at(-1)?.message, 'and 100 more problems');
});

test('the places of skills and agents are known by the ids of their steps, handlers that are skills by their names', async () => {
  const { places } = await load({
    steps: [
      skill('a', { undo: 'tidy' }),
      { id: 'p', type: 'parallel', steps: [{ id: 'b', type: 'agent', agent: 'x' }] },
    ],
    handlers: [skill('h')],
    error_handling: { rollback: { steps: ['sweep', 'h', skill('s')] } },
  });
  assert.deepEqual(Object.fromEntries(places), {
    a: '$.steps[0].skill',
    b: '$.steps[1].steps[0].agent',
    h: '$.handlers[0].skill',
    s: '$.error_handling.rollback.steps[2].skill',
    sweep: '$.error_handling.rollback.steps[0]',
    tidy: '$.steps[0].undo',
  });
});
