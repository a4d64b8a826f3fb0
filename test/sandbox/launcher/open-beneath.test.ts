import assert from 'node:assert/strict';
import { closeSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { holdFolder, makeBeneath } from '../../../sandbox/launcher/open-beneath.ts';

const skip = process.getuid?.() === 0 ? false : 'only root makes files for others';
const USER = { uid: 12_345, gid: 12_346 };
/** chown refuses it, as a kill before it would. */
const NOBODY = { uid: 2 ** 33, gid: 0 };

let root: string;
let held: number;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qw-beneath-'));
  held = holdFolder(root);
});
afterEach(() => {
  closeSync(held);
  rmSync(root, { recursive: true });
});

test('what is missing is made for its owner, what is there stays as it is', { skip }, () => {
  mkdirSync(join(root, 'mine'));
  makeBeneath(held, ['mine', 'out', 'deep'], 'folder', USER);
  writeFileSync(join(root, 'text.md'), 'text');
  for (const name of ['text.md', 'new.md']) makeBeneath(held, [name], 'file', USER);
  assert.deepEqual(
    ['mine', 'mine/out', 'mine/out/deep', 'text.md', 'new.md'].map((name) => {
      const { uid, gid, size } = statSync(join(root, name));
      return [name, uid, gid, name.endsWith('.md') ? size : null];
    }),
    [
      ['mine', 0, 0, null],
      ['mine/out', 12_345, 12_346, null],
      ['mine/out/deep', 12_345, 12_346, null],
      ['text.md', 0, 0, 4],
      ['new.md', 12_345, 12_346, 0],
    ],
  );
  assert.deepEqual(readdirSync(root).toSorted(), ['mine', 'new.md', 'text.md']);
});

test('nothing is in its place before it is its owner’s', { skip }, () => {
  for (const kind of ['folder', 'file'] as const)
    assert.throws(() => makeBeneath(held, ['out'], kind, NOBODY), { code: 'ERR_OUT_OF_RANGE' });
  assert.deepEqual(readdirSync(root), []);
});
