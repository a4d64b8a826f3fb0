import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemLine } from '../../../src/cli/base-command.ts';
import type { JsonObject } from '../../../src/definition/workflow.ts';
import { WorkflowError } from '../../../src/errors/workflow-error.ts';
import { type RunValues, resolveRunValues } from '../../../src/supervisor/definitions/run-inputs.ts';
import { load } from '../../setup/workflows.ts';

/** The values that a run would begin with, or the problems as lines. */
async function resolve(
  parts: object,
  inputs: JsonObject,
  context: JsonObject = {},
): Promise<RunValues | string[]> {
  const { workflow, problems } = await load(parts);
  assert.ok(workflow !== null, JSON.stringify(problems));
  try {
    return resolveRunValues(workflow, inputs, context);
  } catch (error) {
    assert.ok(error instanceof WorkflowError && error.code === 'INPUT_INVALID');
    return error.problems.map(problemLine);
  }
}
const typed = (type: string): object => ({ inputs: { x: { type, required: true } } });

test('an input without a type takes a text after the type of its default, where it reads so', async () => {
  const inputs = { n: { default: 3 }, list: { default: [] }, text: { default: 'x' }, free: {} };
  const values = await resolve({ inputs }, { n: '7', list: '[1]', text: '7', free: '7' });
  assert.ok(!Array.isArray(values));
  assert.deepEqual(values.inputs, { n: 7, list: [1], text: '7', free: '7' });
  const others = await resolve({ inputs }, { n: 'many', list: '{}' });
  assert.ok(!Array.isArray(others));
  assert.deepEqual(others.inputs, { n: 'many', list: '{}', text: 'x', free: null });
});

for (const [type, text, value] of [
  ['string', '12', '12'],
  ['string', '', ''],
  ['number', '12', 12],
  ['number', '-1.5e3', -1500],
  ['boolean', 'false', false],
  ['array', '[1,"a"]', [1, 'a']],
  ['object', '{"a":{"b":null}}', { a: { b: null } }],
] as const)
  test(`the text ${JSON.stringify(text)} is read as a ${type}`, async () => {
    const values = await resolve(typed(type), { x: text });
    assert.ok(!Array.isArray(values));
    assert.deepEqual(values.inputs, { x: value });
  });

for (const [type, value] of [
  ['number', '12px'],
  ['number', 'NaN'],
  ['number', '1e999'],
  ['number', ''],
  ['number', '"1"'],
  ['number', null],
  ['boolean', 'yes'],
  ['array', '{}'],
  ['array', '[1e999]'],
  ['object', '[]'],
  ['object', 'null'],
  ['string', 5],
] as const)
  test(`${JSON.stringify(value)} is not a ${type}`, async () => {
    assert.deepEqual(await resolve(typed(type), { x: value }), [
      `--input x: ${JSON.stringify(value)} is not of the type ${type}`,
    ]);
  });

test('a whole number that would be rounded is refused, not changed', async () => {
  assert.deepEqual(await resolve(typed('number'), { x: '9007199254740993' }), [
    '--input x: 9007199254740993 would be rounded to 9007199254740992 as a number',
  ]);
  assert.deepEqual(await resolve({ context: { mutable: { n: 1 } } }, {}, { n: '-90071992547409931' }), [
    '--context n: -90071992547409931 would be rounded to -90071992547409940 as a number',
  ]);
});

test('a default stands in, an optional one without a default is null', async () => {
  const values = await resolve({ inputs: { a: { type: 'number', default: 3 }, b: { type: 'string' } } }, {});
  assert.ok(!Array.isArray(values));
  assert.deepEqual(values.inputs, { a: 3, b: null });
});

test('context is replaced where it lies, by the type of what it replaces, and the file stays as it was', async () => {
  const parts = { context: { readonly: { r: 'x', any: null }, mutable: { n: 1 } } };
  const values = await resolve(parts, {}, { n: '2', r: '7', any: 'text' });
  assert.ok(!Array.isArray(values));
  assert.deepEqual(values.context, { readonly: { r: '7', any: 'text' }, mutable: { n: 2 } });
  const again = await resolve(parts, {});
  assert.ok(!Array.isArray(again));
  assert.deepEqual(again.context, { readonly: { r: 'x', any: null }, mutable: { n: 1 } });
});

test('a misspelled name is told the nearest one, and a name of the other flag that flag', async () => {
  const parts = { inputs: { name: { type: 'string' } }, context: { mutable: { counter: 0 } } };
  assert.deepEqual(
    await resolve(parts, { nmae: 'x', counter: '1' }, { conter: '1', name: 'x', other: 'x' }),
    [
      '--input nmae: nmae is not declared (known: name) – did you mean "name"?',
      '--input counter: counter is not declared (known: name) – did you mean "--context counter"?',
      '--context conter: conter is not declared (known: counter) – did you mean "counter"?',
      '--context name: name is not declared (known: counter) – did you mean "--input name"?',
      '--context other: other is not declared (known: counter)',
    ],
  );
});

test('names of Object.prototype are unknown names', async () => {
  const given = JSON.parse('{"__proto__": "1", "toString": "2"}') as JsonObject;
  assert.deepEqual(await resolve({}, given, given), [
    '--input __proto__: __proto__ is not declared (the workflow declares none)',
    '--input toString: toString is not declared (the workflow declares none)',
    '--context __proto__: __proto__ is not declared (the workflow declares none)',
    '--context toString: toString is not declared (the workflow declares none)',
  ]);
});
