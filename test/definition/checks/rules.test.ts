import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load, problemsOf, skill } from '../../setup/workflows.ts';

test('ids are unique over steps, handlers and steps in place', async () => {
  assert.deepEqual(
    await problemsOf({ steps: [skill('a', { undo: skill('h') })], handlers: [skill('a'), skill('h')] }),
    [
      'error $.handlers[0].id: the id "a" is used twice; it is the step at $.steps[0] already',
      'error $.steps[0].undo.id: the id "h" is used twice; it is the step at $.handlers[1] already',
      'warning $.handlers[0].id: no policy, undo or rollback names the handler "a": it never runs',
      'warning $.handlers[1].id: no policy, undo or rollback names the handler "h": it never runs',
    ],
  );
});

test('reserved words and context keys are no ids', async () => {
  assert.deepEqual(
    await problemsOf({ context: { readonly: { env: 1 } }, steps: [skill('inputs'), skill('env')] }),
    [
      'error $.steps[0].id: "inputs" is a reserved word and cannot be the id of a step',
      'error $.steps[1].id: the id "env" is a key of context too; expressions could not tell them apart',
    ],
  );
});

test('writes go to declared mutable names, by steps that may', async () => {
  const context = { readonly: { env: 1 }, mutable: { n: 0 }, access: { n: ['b', 'zz'] } };
  assert.deepEqual(
    await problemsOf({
      context,
      steps: [skill('a', { writes: ['n', 'env', 'm'] }), skill('b', { set: { n: '1' } })],
    }),
    [
      'error $.steps[0].writes[0]: step "a" may not write "n": context.access lists b, zz',
      'error $.steps[0].writes[1]: "env" is in context.readonly: no step may write it',
      'error $.steps[0].writes[2]: context.mutable has no "m" to write; did you mean "n"?'.replace(
        '; did you mean "n"?',
        '',
      ),
      'error $.context.access.n[1]: there is no step "zz"',
    ],
  );
});

test('custom needs a handler, and continue_on_error must not contradict the strategy', async () => {
  const per_step = { a: { strategy: 'custom' }, b: { strategy: 'halt', continue_on_error: true } };
  assert.deepEqual(await problemsOf({ steps: [skill('a'), skill('b')], error_handling: { per_step } }), [
    'error $.error_handling.per_step.a.custom_handler: the strategy custom needs "custom_handler": a handler\'s id, a skill\'s name or a step',
    'error $.error_handling.per_step.b.continue_on_error: continue_on_error means the strategy skip, but the strategy is halt',
  ]);
});

test('a skill that is named as a handler may have a policy of its own', async () => {
  const { workflow, problems } = await load({
    steps: [skill('a')],
    error_handling: {
      default: 'rollback',
      per_step: { 'clean-up': 'retry', cleanup: 'skip' },
      rollback: { steps: ['clean-up'] },
    },
  });
  assert.equal(workflow, null);
  assert.deepEqual(
    problems.map(({ path, message }) => `${path}: ${message}`),
    ['$.error_handling.per_step.cleanup: there is no step "cleanup"; did you mean "clean-up"?'],
  );
});

test('a step of the flow that is named as a handler leaves the flow, with a warning', async () => {
  const per_step = { a: { strategy: 'custom', custom_handler: 'fix' } };
  const { workflow, problems } = await load({
    steps: [skill('a'), skill('fix')],
    error_handling: { per_step },
  });
  assert.deepEqual(
    problems.map(({ severity, message }) => [severity, message]),
    [['warning', 'step "fix" is named as a handler, so it does not run in the normal flow']],
  );
  assert.deepEqual(
    workflow?.steps.map((step) => step.id),
    ['a'],
  );
  assert.deepEqual(
    workflow?.handlers.map((step) => step.id),
    ['fix'],
  );
});

test('a flow of handlers only has nothing to run', async () => {
  const per_step = { a: { strategy: 'custom', custom_handler: 'a' } };
  const lines = await problemsOf({ error_handling: { per_step } });
  assert.ok(
    lines.includes(
      'error $.steps: every step here is named as a handler, so the workflow has nothing left to run',
    ),
  );
  assert.ok(
    lines.includes('error $.error_handling.per_step.a.custom_handler: "a" handles the errors of itself'),
  );
});

test('undo steps that undo each other are refused', async () => {
  assert.deepEqual(await problemsOf({ handlers: [skill('h', { undo: 'k' }), skill('k', { undo: 'h' })] }), [
    'error $.handlers[1].undo: "h" undoes itself, by way of "k"',
  ]);
});

test('rollback as a strategy while rollback is off is a warning', async () => {
  const lines = await problemsOf({ error_handling: { default: 'rollback', rollback: { enabled: false } } });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /^warning \$\.error_handling\.default: /);
});

test('cron expressions and time zones are checked', async () => {
  const triggers = [
    { type: 'schedule', cron: '0 25 * * *' },
    { type: 'schedule', cron: '*/5 * * * *', timezone: 'Europe/Berln' },
  ];
  const { problems } = await load({ triggers });
  assert.deepEqual(
    problems.map(({ path, suggestion }) => [path, suggestion]),
    [
      ['$.triggers[0].cron', undefined],
      ['$.triggers[1].timezone', 'Europe/Berlin'],
    ],
  );
});

test('the default of an input has its type', async () => {
  assert.deepEqual(await problemsOf({ inputs: { n: { type: 'number', default: '5' } } }), [
    'error $.inputs.n.default: the default of "n" must be of type number, not string',
  ]);
  assert.deepEqual(await problemsOf({ inputs: { n: { type: 'number', default: null } } }), []);
  assert.deepEqual(await problemsOf({ inputs: { n: { type: 'number', default: null, required: true } } }), [
    'error $.inputs.n.default: the default of "n" must be of type number, not null',
  ]);
});

test('a handler that nothing names is told: it never runs', async () => {
  const handlers = [skill('told', { undo: 'below' }), skill('below'), skill('lonely')];
  const error_handling = { default: { strategy: 'custom', custom_handler: 'told' } };
  assert.deepEqual(await problemsOf({ steps: [skill('a')], handlers, error_handling }), [
    'warning $.handlers[2].id: no policy, undo or rollback names the handler "lonely": it never runs',
  ]);
  // Whether an unreadable policy names it is not known.
  const broken = { default: { strategy: 'custom', custom_handler: 7 } };
  const problems = await problemsOf({ steps: [skill('a')], handlers: [skill('h')], error_handling: broken });
  assert.ok(!problems.some((problem) => problem.includes('never runs')), problems.join('\n'));
});

test('inputs whose names become one variable of a command are told', async () => {
  const inputs = { 'a-b': 1, a_b: 2, 'c.d': 3, 'c-d': 4, e: 5 };
  assert.deepEqual(await problemsOf({ steps: [skill('a', { inputs })] }), [
    'warning $.steps[0].inputs.a_b: a command gets "a-b" and "a_b" as one variable, SKILL_PARAM_a_b; both are on its standard input',
    'warning $.steps[0].inputs["c.d"]: a command gets "c-d" and "c.d" as one variable, SKILL_PARAM_c_d; both are on its standard input',
  ]);
});
