import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resolveTarget } from '../../../src/cli/run/arguments.ts';

test('what has the ending of a file is a path, also a mistyped one, and what is a name stays it', () => {
  for (const path of ['flow.json', 'flow.jsn', 'a/flow', 'flow.txt'])
    assert.equal(resolveTarget(path, '/no/such/workspace'), `/no/such/workspace/${path}`);
  for (const name of ['flow', 'flow@2', 'flow@1.4.2'])
    assert.equal(resolveTarget(name, '/no/such/workspace'), name);
});
