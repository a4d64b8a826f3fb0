import assert from 'node:assert/strict';
import test from 'node:test';
import { readCommand } from '../../../../src/guard/command/read-command.ts';
import { PatternNames } from '../../../../src/guard/policy/calls/file-names.ts';
import { PathReader } from '../../../../src/guard/policy/calls/path-reader.ts';
import type { FileFacts } from '../../../../src/guard/policy/calls/resolve-path.ts';
import { callOf, HOME, WORKSPACE } from '../../../setup/policies.ts';

function patternsOver(names: readonly string[]): PatternNames {
  const files: FileFacts = {
    entry: (path) => ({ kind: names.includes(path.slice(WORKSPACE.length + 1)) ? 'other' : 'folder' }),
    names: () => names.map((name) => ({ name, isFolder: false, isLink: false })),
  };
  return new PatternNames(new PathReader(callOf('execute_bash', {}), files, HOME), WORKSPACE);
}

test('a question mark is not filled in beside a name that has other bytes than characters', () => {
  const { files } = patternsOver(['a.t', 'é.t']);
  assert.deepEqual(files('*.t', '.'), ['a.t', 'é.t']);
  assert.equal(files('?.t', '.'), null);
  assert.equal(files('??.t', '.'), null);
});

test('a pattern that may be the folder above is not filled in', () => {
  const { files } = patternsOver(['a.t']);
  for (const pattern of ['.*', '..*', '.?', './..*', '..?']) assert.equal(files(pattern, '.'), null, pattern);
});

test('many patterns over a large folder stay unknown instead of taking seconds', () => {
  const names = Array.from({ length: 4000 }, (_, index) => `f${index}.t`);
  const { files } = patternsOver(names);
  const found = Array.from({ length: 200 }, (_, index) => files(`f${index + 1}?.t`, '.'));
  assert.equal(found[0]?.length, 10);
  assert.equal(found.at(-1), null);
});

test('a pattern that is written thousands of times is filled in so often only as there is time for', () => {
  const names = Array.from({ length: 100 }, (_, index) => `f${index}.t`);
  const { files } = patternsOver(names);
  const found = Array.from({ length: 100 }, () => files('*.t', '.'));
  assert.equal(found[0]?.length, 100);
  assert.equal(found.at(-1), null);
});

test('a name that the same command makes through a link counts as one of the folder', () => {
  const entry: FileFacts['entry'] = (path) => {
    if (path === `${WORKSPACE}/link`) return { kind: 'link', target: 's' };
    return { kind: /\.t$/.test(path) ? 'missing' : 'folder' };
  };
  const files: FileFacts = { entry, names: () => [] };
  for (const source of [
    'touch s/new.t; wc link/*.t',
    'touch link/new.t; wc s/*.t',
    'touch s/new.t; wc s/*.t',
  ]) {
    const names = new PatternNames(new PathReader(callOf('execute_bash', {}), files, HOME), WORKSPACE);
    assert.equal(names.mayGrow(readCommand(source, names.files)), true, source);
  }
});
