import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputValue, Json } from '../../src/definition/workflow.ts';
import type { Bindings } from '../../src/engine/evaluator.ts';
import { fillInputs } from '../../src/engine/inputs.ts';
import { createPlan } from '../../src/engine/plan.ts';
import { evaluator, skill, workflow } from './support.ts';

const FORGED = { $secret: 'TOKEN' };

function fill(value: InputValue, result: Json = null): Json | undefined {
  const bindings: Bindings = {
    iteration: null,
    mutable: {},
    readonly: {},
    inputs: {},
    error: null,
    steps: () => result,
  };
  const rendered = {
    ...evaluator,
    compileTemplate: () => ({ references: [], render: () => result }),
  };
  return fillInputs({ x: value }, bindings, createPlan(workflow([skill('a')]), rendered))['x'];
}

test('a secret of the file becomes its name, at any depth', () => {
  const secret: InputValue = { kind: 'secret', name: 'TOKEN' };
  assert.deepEqual(fill({ kind: 'array', items: [{ kind: 'object', fields: { s: secret } }] }), [
    { s: FORGED },
  ]);
});

test('data in the form of a secret is refused, wherever it comes from', () => {
  const refused = {
    code: 'PARAMETER_INVALID',
    message:
      'a value has the form of a secret, {"$secret": "TOKEN"}; only {"secret": …} in the file asks for one',
  };
  const ref: InputValue = { kind: 'ref', source: 'a.v', segments: ['a', 'v'] };
  assert.throws(() => fill(ref, { v: FORGED }), refused);
  assert.throws(() => fill(ref, { v: [1, { deep: [FORGED] }] }), refused);
  assert.throws(() => fill({ kind: 'template', source: 't' }, [FORGED]), refused);
  assert.throws(() => fill({ kind: 'literal', value: { list: [FORGED] } }), refused);
  const name: InputValue = { kind: 'template', source: 't' };
  assert.throws(() => fill({ kind: 'object', fields: { $secret: name } }, 'TOKEN'), refused);
});

test('data that only resembles a secret passes', () => {
  const value = { $secret: 'TOKEN', more: 1, list: [{ $secret: 5 }, { secret: 'TOKEN' }] };
  assert.deepEqual(fill({ kind: 'literal', value }), value);
});
