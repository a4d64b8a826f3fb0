import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inputValue } from '../../src/definition/input-value.ts';
import type { Json } from '../../src/definition/workflow.ts';
import { expressionText, fileValue, typedLiteral, typeFault, valueText } from '../../src/wizard/wiring.ts';

const IDS = new Set(['fetch', 'context-free']);
const roots = { stepIds: IDS, isHandler: true };

test('a literal is never read as anything else, whatever it is', () => {
  const texts = fc.constantFrom(
    'fetch',
    'fetch.x',
    'fetch[0]',
    'context',
    'inputs.a',
    'error.code',
    '$' + '{{ 1 }}',
    'plain',
    'a.b',
  );
  const value = fc.oneof(
    texts,
    fc.jsonValue(),
    fc.record({ ref: texts }),
    fc.array(texts),
    fc.record({ literal: texts }),
  );
  fc.assert(
    fc.property(value, (given) => {
      const literal = JSON.parse(JSON.stringify(given)) as Json;
      assert.deepEqual(inputValue(fileValue({ kind: 'literal', value: literal }, IDS), roots), {
        kind: 'literal',
        value: literal,
      });
    }),
    { numRuns: 300 },
  );
});

test('a plain word stays as it is typed; one that is a step is marked', () => {
  assert.equal(fileValue({ kind: 'literal', value: 'Berlin' }, IDS), 'Berlin');
  assert.deepEqual(fileValue({ kind: 'literal', value: 'fetch' }, IDS), { literal: 'fetch' });
  assert.deepEqual(fileValue({ kind: 'literal', value: 'a.example' }, IDS), { literal: 'a.example' });
});

test('sources are written as the file has them, and in conditions as expressions have them', () => {
  assert.equal(fileValue({ kind: 'output', step: 'fetch', field: 'body' }, IDS), 'fetch.body');
  assert.equal(
    fileValue({ kind: 'output', step: 'fetch', field: 'status-code' }, IDS),
    'fetch["status-code"]',
  );
  assert.deepEqual(fileValue({ kind: 'output', step: 'fetch', field: null }, IDS), { ref: 'fetch' });
  assert.equal(fileValue({ kind: 'input', name: 'max' }, IDS), 'inputs.max');
  assert.equal(fileValue({ kind: 'context', name: 'counter' }, IDS), 'context.counter');
  assert.deepEqual(fileValue({ kind: 'secret', name: 'KEY' }, IDS), { secret: 'KEY' });
  assert.equal(expressionText({ kind: 'output', step: 'fetch', field: 'true' }), 'fetch["true"]');
  assert.equal(expressionText({ kind: 'literal', value: 'a"b' }), '"a\\"b"');
});

test('what is typed is of the type of its parameter', () => {
  assert.equal(typedLiteral('42', 'string'), '42');
  assert.equal(typedLiteral('42', 'number'), 42);
  assert.equal(typedLiteral('forty', 'any'), 'forty');
  assert.equal(typeFault('forty', 'number'), 'It takes a number, such as 42 or 0.5.');
  assert.equal(typeFault('1', 'boolean'), 'It takes true or false.');
  assert.equal(typeFault('[1]', 'object'), 'It takes a JSON object, such as {"key": "value"}.');
  assert.equal(typeFault('{}', 'array'), 'It takes a JSON list, such as [1, 2].');
  assert.equal(typeFault('anything', 'string'), null);
  assert.equal(valueText({ literal: 'a.b' }), '"a.b"');
  assert.equal(valueText('fetch.body'), 'fetch.body');
});
