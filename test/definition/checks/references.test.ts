import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, problemsOf, skill } from '../../setup/workflows.ts';

const parallel = (id: string, ...steps: object[]): object => ({ id, type: 'parallel', steps });
const loop = (id: string, condition: string, ...steps: object[]): object => ({
  id,
  type: 'loop',
  condition,
  steps,
});
const branch = (id: string, condition: string, yes: object[], no: object[]): object => {
  return {
    id,
    type: 'conditional',
    condition,
    ...Object.fromEntries([
      ['then', yes],
      ['else', no],
    ]),
  };
};

const refused: readonly (readonly [string, readonly object[], string])[] = [
  [
    'a later step',
    [skill('a', { inputs: { x: 'b.x' } }), skill('b')],
    'error $.steps[0].inputs.x: step "b" runs later',
  ],
  [
    'the step itself',
    [skill('a', { inputs: { x: '${{ a.x }}' } })],
    'error $.steps[0].inputs.x: step "a" refers to its own result',
  ],
  [
    'the step itself by a text that may only look like it',
    [skill('build', { inputs: { target: 'build' } })],
    'error $.steps[0].inputs.target: step "build" refers to its own result (write {"literal": "build"} if it is no reference)',
  ],
  [
    'a sibling branch of a parallel group',
    [parallel('p', skill('b'), skill('c', { inputs: { x: 'b.x' } }))],
    'error $.steps[0].steps[1].inputs.x: step "b" is in another branch of the parallel group "p": all branches start together',
  ],
  [
    'the other branch of a conditional',
    [branch('q', 'true', [skill('b')], [skill('c', { inputs: { x: 'b.x' } })])],
    'error $.steps[0].else[0].inputs.x: step "b" is in the other branch of the conditional "q"',
  ],
  [
    'a composite around it',
    [loop('l', 'false', skill('b', { inputs: { x: 'l.x' } }))],
    'error $.steps[0].steps[0].inputs.x: step "l" holds this step and ends after it',
  ],
  [
    'a later step of the same turn',
    [loop('l', 'false', skill('b', { inputs: { x: 'c.x' } }), skill('c'))],
    'error $.steps[0].steps[0].inputs.x: step "c" runs later',
  ],
  [
    'a step inside a conditional from its own condition',
    [branch('q', 'b.x == 1', [skill('b')], [])],
    'error $.steps[0].condition: step "b" lies inside this step and runs later',
  ],
];

for (const [what, steps, problem] of refused) {
  test(`a reference to ${what} is an error`, async () => {
    assert.deepEqual(await problemsOf({ steps }), [problem]);
  });
}

test('what may have run before can be referred to', async () => {
  const steps = [
    skill('a'),
    parallel('p', skill('b', { inputs: { x: 'a' } }), parallel('p2', skill('c'))),
    loop('l', 'd.done != true && iteration < 3', skill('d', { inputs: { i: '${{ iteration }}' } })),
    branch('q', 'd.x == 1', [skill('e')], [skill('f')]),
    skill('g', { inputs: { b: 'b.x', c: 'c[0].y', d: 'd.x', e: 'e', f: 'f.x', l: 'l' } }),
  ];
  assert.deepEqual(await problemsOf({ steps }), []);
});

test('a step reads its own result in set', async () => {
  const { problems } = await load({
    context: { mutable: { n: 0 } },
    steps: [skill('a', { set: { n: 'a.count + n' } })],
  });
  assert.deepEqual(problems, []);
});

test('a near miss of a step id is a warning, other texts are literals', async () => {
  const inputs = { x: 'fetch-dta.data', url: 'https://a.example/fetch-data.json', file: 'report.json' };
  const { workflow, problems } = await load({ steps: [skill('fetch-data'), skill('b', { inputs })] });
  assert.notEqual(workflow, null);
  assert.deepEqual(problems, [
    {
      severity: 'warning',
      path: '$.steps[1].inputs.x',
      message: '"fetch-dta.data" is taken as text; there is no step "fetch-dta"; did you mean "fetch-data"?',
      suggestion: 'fetch-data',
    },
  ]);
});

test('undeclared names of context and inputs are errors with a suggestion', async () => {
  const { problems } = await load({
    context: { readonly: { region: 'eu' } },
    inputs: { count: { type: 'number' } },
    steps: [skill('a', { inputs: { x: 'context.regoin', y: 'inputs.cuont', z: '${{ regoin }}' } })],
  });
  assert.deepEqual(
    problems.map((problem) => problem.suggestion),
    ['region', 'count', 'region'],
  );
});

test('an expression that does not compile names its column', async () => {
  const [line] = await problemsOf({
    steps: [branch('q', 'fetch-dat.status == 200', [skill('b')], []), skill('fetch-data')],
  });
  assert.equal(
    line,
    'error $.steps[0].condition: unknown name "fetch-dat"; did you mean "fetch-data"? (column 1 of "fetch-dat.status == 200")',
  );
});

test('a condition that can never be true or false is refused', async () => {
  const steps = [branch('c', 'n + 1', [skill('a')], []), loop('l', 'n > 1 ? "y" : 5', skill('b'))];
  assert.deepEqual(await problemsOf({ context: { mutable: { n: 1 } }, steps }), [
    'error $.steps[0].condition: a condition must be true or false, this one is no bool (column 1 of "n + 1")',
    'error $.steps[1].condition: a condition must be true or false, this one is a string (column 9 of "n > 1 ? \\"y\\" : 5")',
  ]);
});

test('error is seen by handlers only', async () => {
  const inputs = { code: 'error.code', text: '${{ error.message }}', level: 'error', file: 'error.log' };
  const custom = { per_step: { a: { strategy: 'custom', custom_handler: 'mend' } } };
  const { workflow, problems } = await load({
    handlers: [skill('mend', { inputs })],
    error_handling: custom,
  });
  assert.deepEqual(problems, []);
  const [handler] = workflow?.handlers ?? [];
  assert.ok(handler?.type === 'skill');
  assert.deepEqual(
    Object.values(handler.inputs).map((input) => input.kind),
    ['ref', 'template', 'literal', 'literal'],
  );
  assert.match(
    (await problemsOf({ steps: [skill('a', { inputs: { x: '${{ error.code }}' } })] }))[0] ?? '',
    /only in error handlers/,
  );
});

test('explicit forms work at any depth', async () => {
  const inputs = { list: [{ ref: 'a.x' }, { literal: 'a.x' }, { secret: 'TOKEN' }, 'a.y', 'plain'] };
  const { workflow } = await load({ steps: [skill('a'), skill('b', { inputs })] });
  const step = workflow?.steps[1];
  assert.ok(step?.type === 'skill');
  assert.deepEqual(step.inputs.list, {
    kind: 'array',
    items: [
      { kind: 'ref', source: 'a.x', segments: ['a', 'x'] },
      { kind: 'literal', value: 'a.x' },
      { kind: 'secret', name: 'TOKEN' },
      { kind: 'ref', source: 'a.y', segments: ['a', 'y'] },
      { kind: 'literal', value: 'plain' },
    ],
  });
  assert.match(
    (await problemsOf({ steps: [skill('b', { inputs: { x: { ref: 'a b' } } })] }))[0] ?? '',
    /is not a reference/,
  );
});
