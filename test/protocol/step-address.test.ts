import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isAddressed, pathOf } from '../../src/protocol/step-address.ts';

test('a path means the step and what is in it', () => {
  for (const path of ['g', 'g/a', 'g~2/a', 'g!fix', 'g[1]/a', 'g!undo'])
    assert.ok(isAddressed(path, 'g'), path);
  for (const path of ['gg', 'gg/a', 'h', 'g-a/x']) assert.ok(!isAddressed(path, 'g'), path);
  assert.ok(isAddressed('l[2]/a', 'l[2]'));
  assert.ok(!isAddressed('l[22]/a', 'l[2]'));
});

test('an id alone means the step wherever it runs', () => {
  for (const path of ['p/l[2]/a', 'g~2/a', 'x!a', 'p/a/b', 'l[0]/a!fix'])
    assert.ok(isAddressed(path, 'a'), path);
  assert.ok(!isAddressed('p/aa', 'a'));
  assert.ok(!isAddressed('p/l[2]/a', 'p/a'));
});

test('of several turns and attempts the latest is meant, and a path is itself', () => {
  const steps = ['l', 'l[0]/a', 'l[1]/a', 'l[1]/a!a', 'g/b', 'g~2/b'].map((path) => ({
    path,
    id: path.replace(/^.*[/!]/, ''),
  }));
  assert.equal(pathOf('a', steps), 'l[1]/a');
  assert.equal(pathOf('b', steps), 'g~2/b');
  assert.equal(pathOf('l[0]/a', steps), 'l[0]/a');
  assert.equal(pathOf('l', steps), 'l');
  assert.equal(pathOf('c', steps), undefined);
  assert.equal(pathOf('', steps), undefined);
});
