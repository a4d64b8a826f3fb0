import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson, definitionHash } from '../../src/definition/hash.ts';
import type { Json } from '../../src/definition/workflow.ts';

test('layout and the order of keys do not change the hash, values do', () => {
  const hash = definitionHash('{"a": 1, "b": [1, 2]}');
  assert.equal(hash, definitionHash('{\n"b":[1,2],"a":1.0}'));
  assert.notEqual(hash, definitionHash('{"a": 1, "b": [2, 1]}'));
  assert.equal(definitionHash('{}'), '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a');
});

test('canonical JSON parses back to the same value', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json: Json = JSON.parse(JSON.stringify(value));
      assert.deepEqual(JSON.parse(canonicalJson(json)), json);
    }),
  );
});
