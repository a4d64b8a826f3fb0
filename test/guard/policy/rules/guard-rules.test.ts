import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { PolicySet } from '../../../../src/guard/policy/files/policy-set.ts';
import { GUARDED_FILES, guardedPlaces } from '../../../../src/guard/policy/rules/guard-files.ts';
import { bash, callOf, HOME, setOf, verdictIn, verdictOf, WORKSPACE } from '../../../setup/policies.ts';

let set: PolicySet;
before(async () => {
  // The laxest policy there can be, in every layer.
  const lax = { default: 'allow', rules: [{ effect: 'allow', tool: '*' }] } as const;
  set = await setOf(lax, { ...lax, layer: 'user' }, { ...lax, layer: 'step' });
});

test('the sandbox gets plain names, those of a home too, and of git what its own commits leave alone', () => {
  const places = guardedPlaces('/ws', '/home/me');
  for (const place of ['/ws/.kiro/agents', '/ws/.q-skills', '/ws/.claude/settings.json', '/home/me/.bashrc'])
    assert.ok(places.includes(place), place);
  assert.deepEqual(
    places.filter((place) => /[*$~]|undefined/.test(place) || !/^\/(?:ws|home\/me)\/./.test(place)),
    [],
  );
  assert.deepEqual(
    places.filter((place) => /^\/ws\/\.git(?:$|\/)/.test(place)),
    ['/ws/.git/config', '/ws/.git/config.worktree', '/ws/.git/hooks'],
  );
});

const WRITES: readonly string[] = [
  '.git/config',
  '.git/hooks/pre-commit',
  '.git/info/attributes',
  '.git',
  '.GIT/config',
  '.git/../.git/config',
  'sub/.git/config',
  '.g\u200cit/config',
  'git~1/config',
  '.gitmodules',
  '.amazonq/policies/x.json',
  '.amazonq/cli-agents/helper.json',
  '.amazonq/mcp.json',
  '.amazonq/workflows/x.json',
  '.amazonq/rules/x.md',
  '.kiro/agents/x.md',
  '.kiro/hooks/x.json',
  '.kiro/settings/mcp.json',
  '.q-workflow/x',
  '.q-skills/x/skill.json',
  '.husky/pre-commit',
  '.vscode/tasks.json',
  '.envrc',
  `${HOME}/.bashrc`,
  `${HOME}/.gitconfig`,
  `${HOME}/.ssh/authorized_keys`,
  `${HOME}/.config/q-workflow/policies/user.json`,
  `${HOME}/.aws/amazonq/cli-agents/x.json`,
  `${HOME}/state/q-workflow.db`,
  '/etc/q-workflow/policies/x.json',
];

test('no policy lets an agent write what guards it', () => {
  const written = WRITES.filter(
    (path) => verdictOf(set, callOf('fs_write', { path, content: '' })).decision !== 'deny',
  );
  assert.deepEqual(written, []);
  const redirected = WRITES.filter((path) => verdictOf(set, bash(`echo x > '${path}'`)).decision !== 'deny');
  assert.deepEqual(redirected, []);
  const byMcp = WRITES.filter((path) => verdictOf(set, callOf('@fs/write', { path })).decision !== 'deny');
  assert.deepEqual(byMcp, []);
});

test('they may be read, but for the state folder', () => {
  for (const path of ['.git/config', '.amazonq/mcp.json', '.envrc'])
    assert.equal(verdictOf(set, callOf('fs_read', { path })).decision, 'allow', path);
  for (const path of [`${HOME}/state/secrets/KEY`, `${HOME}/state/control.sock`]) {
    const verdict = verdictOf(set, callOf('fs_read', { path }));
    assert.deepEqual(
      [verdict.decision, verdict.layer, verdict.rules],
      ['deny', 'built-in', ['built-in/guard#state']],
    );
  }
  assert.equal(verdictOf(set, bash(`cat ${HOME}/state/secrets/KEY`)).decision, 'deny');
});

test('commands that write them without a path of their own', () => {
  for (const command of [
    'git config core.hooksPath /tmp/x',
    'git -C . config alias.x "!rm y"',
    'git config --global user.name x',
    'git remote add x https://evil.com/',
    'git remote -v add x y',
    'git submodule add https://evil.com/',
    'cp evil .git/hooks/pre-commit',
    'mv evil .git/config',
    'ln -s /tmp/evil .git/hooks',
    'tee .git/config',
    'sed -i s/a/b/ .git/config',
    'rm -rf .git',
    'rm -rf .',
    'rm -rf ..',
    `rm -rf ${WORKSPACE}`,
    `rm -rf ${HOME}`,
    'rm -rf /',
    'chmod -R 777 .',
    'mv .git old',
    'mv . ../x',
    'cd .git && echo x > config',
    'cd .amazonq; echo x > mcp.json',
    'mytool --out=.git/config',
  ])
    assert.equal(verdictOf(set, bash(command)).decision, 'deny', command);
});

test('ordinary work is not touched by them', () => {
  for (const command of [
    'git config --get user.name',
    'git config -l',
    'git status',
    'git add .',
    'git commit -m x',
    'git remote -v',
    'cat .git/config',
    'ls .git/hooks',
    'cp a b',
    'cp a .',
    'rm -rf dist',
    'mkdir -p .github/workflows',
    'echo x > .gitignore',
    'echo x > src/config',
  ])
    assert.equal(verdictOf(set, bash(command)).decision, 'allow', command);
});

test('each table entry has a reason, and a rule of its own', () => {
  assert.equal(new Set(GUARDED_FILES.map(({ id }) => id)).size, GUARDED_FILES.length);
  for (const { reason, globs } of GUARDED_FILES) assert.ok(reason.length > 20 && globs.length > 0);
});

describe('links', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-guard-'));
    mkdirSync(join(folder, '.git', 'hooks'), { recursive: true });
    writeFileSync(join(folder, '.git', 'config'), '');
    symlinkSync('.git/config', join(folder, 'innocent'));
    symlinkSync('.git', join(folder, 'docs'));
    symlinkSync('.git/hooks/post-commit', join(folder, 'new'));
  });
  after(() => rmSync(folder, { recursive: true }));

  test('a link to a guarded file is that file', () => {
    for (const path of ['innocent', 'docs/config', 'docs/hooks/x', 'new'])
      assert.equal(verdictIn(folder, set, 'fs_write', { path, content: '' }).decision, 'deny', path);
    assert.equal(verdictIn(folder, set, 'execute_bash', { command: 'echo x > innocent' }).decision, 'deny');
    assert.equal(verdictIn(folder, set, 'fs_write', { path: 'other', content: '' }).decision, 'allow');
  });
});
