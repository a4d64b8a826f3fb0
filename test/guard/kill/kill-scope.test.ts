import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  covers,
  type KillSubject,
  mayHold,
  parseKillScope,
  scopesOver,
} from '../../../src/guard/kill/kill-scope.ts';
import {
  fileName,
  heldByFile,
  type Latch,
  listLatches,
  removeLatch,
  writeLatch,
} from '../../../src/guard/kill/latch-files.ts';

const subject: KillSubject = {
  workflow: 'nightly',
  instance: 'abc',
  agent: 'triage',
  tool: '@files/delete',
  path: 'loop[2]/group~2/a',
};

describe('scopes of kill switches', () => {
  test('every scope over a subject, the widest first', () => {
    assert.deepEqual(scopesOver(subject), [
      'global',
      'workflow:nightly',
      'agent:triage',
      'tool:@files',
      'tool:@files/delete',
      'instance:abc',
      'step:abc/loop',
      'step:abc/loop[2]',
      'step:abc/loop[2]/group',
      'step:abc/loop[2]/group~2',
      'step:abc/loop[2]/group~2/a',
    ]);
  });

  test('a name that only begins like another is not covered', () => {
    for (const scope of ['workflow:night', 'agent:tri', 'tool:@file', 'instance:ab', 'step:abc/loop[2]/gr'])
      assert.equal(covers(scope, subject), false, scope);
  });

  for (const text of [
    'global',
    'workflow:a',
    'agent:a-b',
    'tool:exec',
    'tool:@s',
    'tool:@s/t',
    'instance:1a',
    'step:1a/b[0]/c',
  ])
    test(`${text} is a scope`, () => assert.equal(parseKillScope(text), text));
  for (const text of [
    '',
    'all',
    'Global',
    'global:',
    'workflow:',
    'workflow',
    'tool:a/b',
    'step:1a',
    'step:/a',
    'instance:a b',
    'tool:*',
    'tool:@files/*',
    'tool:@builtin',
    'workflow:night*',
    'agent:?',
  ])
    test(`"${text}" is none`, () =>
      assert.throws(() => parseKillScope(text), { message: `"${text}" is no scope of a kill switch` }));
});

describe('latch files', () => {
  const latch: Latch = { scope: 'agent:triage', mode: 'kill', reason: 'r', by: 'person p', at: 1 };
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-latch-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('hold what their scope covers, until they are removed', () => {
    assert.equal(heldByFile(folder, subject), null);
    writeLatch(folder, latch);
    assert.equal(heldByFile(folder, subject), 'agent:triage');
    assert.equal(heldByFile(folder, { ...subject, agent: null }), null);
    assert.deepEqual(listLatches(folder), [{ name: fileName('agent:triage'), latch }]);
    removeLatch(folder, 'agent:triage');
    assert.equal(heldByFile(folder, subject), null);
  });

  for (const [name, put] of [
    ['an empty file', (file: string) => writeFileSync(file, '')],
    [
      'a text of another scope',
      (file: string) => writeFileSync(file, JSON.stringify({ ...latch, scope: 'global' })),
    ],
    ['a pipe that nobody writes to', (file: string) => void execFileSync('mkfifo', [file])],
    ['a link to nowhere', (file: string) => symlinkSync('/nowhere/at/all', file)],
  ] as const)
    test(`${name} holds too, and is listed as unreadable`, () => {
      const file = join(folder, fileName('agent:triage'));
      put(file);
      assert.equal(heldByFile(folder, subject), 'agent:triage');
      assert.deepEqual(listLatches(folder), [{ name: fileName('agent:triage'), latch: null }]);
    });

  test('a text of what is no scope hides no other', () => {
    const scopes = ['tool:*', 'nonsense', 'agent:triage'];
    for (const scope of scopes)
      writeFileSync(join(folder, fileName(scope)), JSON.stringify({ ...latch, scope }));
    const listed = listLatches(folder);
    assert.equal(listed.length, 3);
    assert.deepEqual(
      listed.flatMap((each) => each.latch ?? []),
      [latch],
    );
  });

  test('a folder that cannot be looked into holds everything', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    assert.equal(heldByFile(file, subject), 'global');
  });
});

test('an instance that may hold parts of a scope is known by its id, its workflow and the agents that it names', () => {
  const held = (scope: string, agents: readonly string[] | null): boolean =>
    mayHold(scope, { id: 'i1', workflow: 'w', agents });
  const all = ['global', 'workflow:w', 'instance:i1', 'step:i1/a', 'agent:triage', 'tool:fs_write'];
  assert.deepEqual(
    all.filter((scope) => held(scope, ['triage'])),
    all,
  );
  assert.deepEqual(
    all.filter((scope) => held(scope, [])),
    ['global', 'workflow:w', 'instance:i1', 'step:i1/a'],
  );
  // Nobody can tell: it counts as held.
  assert.deepEqual(
    all.filter((scope) => held(scope, null)),
    all,
  );
  const others = ['workflow:x', 'instance:i', 'instance:i11', 'step:i11/a', 'agent:other'];
  assert.deepEqual(
    others.filter((scope) => held(scope, ['triage'])),
    [],
  );
});
