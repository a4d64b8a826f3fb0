import assert from 'node:assert/strict';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import {
  listScratches,
  makeScratch,
  removeScratch,
  scratchFolder,
} from '../../../src/supervisor/sandboxes/scratch.ts';
import { folderSize } from '../../../src/supervisor/upkeep/folder-size.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qw-scratch-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('a scratch folder is private, found again as it was, listed, and removed with what is in it', () => {
  const folder = makeScratch('abc', null, root);
  assert.equal(folder, scratchFolder('abc', root));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  writeFileSync(join(folder, 'kept'), 'x');
  makeScratch('abc', null, root);
  assert.equal(statSync(join(folder, 'kept')).size, 1);
  assert.deepEqual(listScratches(root), ['abc']);
  removeScratch('abc', root);
  assert.deepEqual(listScratches(root), []);
});

test('a link, or a folder that others may enter, in its place is refused and not touched', () => {
  symlinkSync('/etc', scratchFolder('link', root));
  mkdirSync(scratchFolder('open', root), { mode: 0o755 });
  for (const id of ['link', 'open'])
    assert.throws(() => makeScratch(id, null, root), {
      code: 'HOME_UNSAFE',
      message: `the scratch folder ${scratchFolder(id, root)} is not a private folder of user ${process.getuid?.()}`,
    });
});

const notRoot = process.getuid?.() === 0 ? false : 'only root makes folders for others';

test('one that was made and not given away yet, as a kill leaves it, is given away', {
  skip: notRoot,
}, () => {
  const user = { uid: 12_345, gid: 12_346, name: null, home: null };
  mkdirSync(scratchFolder('cut', root), { mode: 0o700 });
  const { uid, gid } = statSync(makeScratch('cut', user, root));
  assert.deepEqual([uid, gid], [user.uid, user.gid]);
  mkdirSync(scratchFolder('used', root), { mode: 0o700 });
  writeFileSync(join(scratchFolder('used', root), 'ours'), '');
  assert.throws(() => makeScratch('used', user, root), { code: 'HOME_UNSAFE' });
  assert.equal(statSync(scratchFolder('used', root)).uid, 0);
});

test('the size of a folder counts what is held on disk, once, and follows no link', async () => {
  const block = Buffer.alloc(64 * 1024, 1);
  writeFileSync(join(root, 'a'), block);
  const one = await folderSize(root);
  assert.ok(one >= 64 * 1024 && one < 80 * 1024, `${one} bytes`);
  linkSync(join(root, 'a'), join(root, 'b'));
  symlinkSync('/usr', join(root, 'usr'));
  writeFileSync(join(root, 'sparse'), '');
  truncateSync(join(root, 'sparse'), 1024 ** 3);
  assert.ok((await folderSize(root)) < one + 16 * 1024);
  mkdirSync(join(root, 'deep', 'er'), { recursive: true });
  writeFileSync(join(root, 'deep', 'er', 'c'), block);
  assert.ok((await folderSize(root)) >= one + 64 * 1024);
  assert.equal(await folderSize(join(root, 'gone')), 0);
});
