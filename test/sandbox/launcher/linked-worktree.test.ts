import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { linkedRepository } from '../../../sandbox/launcher/linked-worktree.ts';

let base = '';
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'q-worktree-')));
  for (const folder of ['ws', 'repo/.git/worktrees/ws', 'elsewhere/worktrees/x'])
    mkdirSync(join(base, folder), { recursive: true });
  writeFileSync(join(base, 'ws/.git'), `gitdir: ${base}/repo/.git/worktrees/ws\n`);
});
afterEach(() => rmSync(base, { recursive: true }));

test('the repository of a linked worktree is found when it names the worktree too', () => {
  writeFileSync(join(base, 'repo/.git/worktrees/ws/gitdir'), `${base}/ws/.git\n`);
  assert.equal(linkedRepository(join(base, 'ws')), join(base, 'repo/.git'));
});

test('what a step writes into .git counts for nothing by itself', () => {
  assert.equal(linkedRepository(join(base, 'ws')), null);
  writeFileSync(join(base, 'repo/.git/worktrees/ws/gitdir'), `${base}/other/.git\n`);
  assert.equal(linkedRepository(join(base, 'ws')), null);
  for (const pointer of [
    `gitdir: ${base}/elsewhere/worktrees/x`,
    `gitdir: ${base}/repo/.git`,
    'gitdir: /etc',
    'x',
    '',
  ]) {
    writeFileSync(join(base, 'ws/.git'), pointer);
    assert.equal(linkedRepository(join(base, 'ws')), null, pointer);
  }
});

test('a workspace that is a repository itself, or none, has no other', () => {
  assert.equal(linkedRepository(join(base, 'repo')), null);
  assert.equal(linkedRepository(join(base, 'elsewhere')), null);
});
