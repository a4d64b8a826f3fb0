import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { realFiles } from '../../src/guard/policy/files/file-facts.ts';
import { policySet } from '../../src/guard/policy/files/policy-set.ts';
import { mayWriteRepository } from '../../src/guard/repository.ts';
import { GUARD, HOME, loadText } from '../setup/policies.ts';

const FOLDER = join(import.meta.dirname, '../../policies');
const at = { workspace: '/w', cwd: '/w', workflow: 'w', agent: 'a', step: 's', environment: null };

async function mayWrite(text: string): Promise<boolean> {
  const { policy } = await loadText(text, 'p');
  return mayWriteRepository(policySet([policy], GUARD), at, { files: realFiles(), home: HOME });
}

const only = (...command: unknown[]): string =>
  JSON.stringify({
    apiVersion: 'policy/v1',
    layer: 'user',
    default: 'deny',
    rules: command.map((each) => ({ effect: 'allow', tool: 'execute_bash', command: each })),
  });

test('of the shipped policies those keep the repository that let nobody commit', async () => {
  const kept: string[] = [];
  for (const name of ['default', 'read-only', 'workspace-edit', 'ci'])
    if (!(await mayWrite(readFileSync(join(FOLDER, `${name}.json`), 'utf8')))) kept.push(name);
  assert.deepEqual(kept, ['read-only', 'ci']);
});

test('what looks keeps it, what changes something of it may not be kept from that', async () => {
  for (const command of [
    'npm test',
    'git log',
    'git status',
    'git stash list',
    ['git diff', 'git tag -l'],
    'make',
  ])
    assert.equal(await mayWrite(only(command)), false, String(command));
  for (const command of [
    'git',
    'git commit',
    'git add',
    'git tag',
    'git branch',
    'git tag v*',
    'git stash',
    'git fetch',
    'git *',
    '/usr/bin/git commit',
    'g*',
    'gh pr checkout',
    'git-lfs',
  ])
    assert.equal(await mayWrite(only('npm test', command)), true, command);
});

test('so does no command that a tool alone or the default lets through', async () => {
  const rule = (fields: object, standard = 'deny'): string =>
    JSON.stringify({ apiVersion: 'policy/v1', layer: 'user', default: standard, rules: [fields] });
  assert.equal(await mayWrite(rule({ effect: 'allow', tool: 'execute_bash' })), true);
  assert.equal(await mayWrite(rule({ effect: 'ask', tool: '*' })), true);
  assert.equal(await mayWrite(rule({ effect: 'allow', tool: 'fs_write' })), false);
  assert.equal(await mayWrite(rule({ effect: 'deny', tool: 'execute_bash' })), false);
  assert.equal(await mayWrite(rule({ effect: 'deny', tool: 'fs_write' }, 'ask')), true);
  assert.equal(await mayWrite('{ "apiVersion": "policy/v1", "default": "allow", "rules": [{}] }'), false);
});
