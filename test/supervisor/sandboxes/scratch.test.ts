import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
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
  removeAside,
  removeScratch,
  scratchFolder,
} from '../../../src/supervisor/sandboxes/scratch.ts';
import { folderSize } from '../../../src/supervisor/upkeep/folder-size.ts';

const SCRATCH_MODULE = new URL('../../../src/supervisor/sandboxes/scratch.ts', import.meta.url).href;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qw-scratch-'));
});
afterEach(() => rmSync(root, { recursive: true }));

test('a scratch folder is private, found again as it was, listed, and removed with what is in it', async () => {
  const folder = makeScratch('abc', null, root);
  assert.equal(folder, scratchFolder('abc', root));
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  writeFileSync(join(folder, 'kept'), 'x');
  makeScratch('abc', null, root);
  assert.equal(statSync(join(folder, 'kept')).size, 1);
  assert.deepEqual(listScratches(root), [{ id: 'abc', aside: null }]);
  await removeScratch('abc', root);
  assert.deepEqual(listScratches(root), []);
});

test('what is left in it is removed while others go on, and a fresh one may be made meanwhile', async () => {
  const folder = makeScratch('full', null, root);
  for (let index = 0; index < 3000; index += 1) writeFileSync(join(folder, `${index}`), '');
  let turns = 0;
  const count = setInterval(() => (turns += 1), 1);
  const removal = removeScratch('full', root);
  assert.equal(readdirSync(makeScratch('full', null, root)).length, 0);
  const [fresh, aside] = listScratches(root);
  assert.deepEqual(fresh, { id: 'full', aside: null });
  assert.equal(aside?.id, 'full');
  await removal;
  clearInterval(count);
  assert.ok(turns > 0);
  assert.deepEqual(listScratches(root), [{ id: 'full', aside: null }]);
});

test('what a removal that was cut short left is told from a scratch folder, and removed', async () => {
  const left = 'q-workflow-abc~1-2';
  mkdirSync(join(root, left, 'x'), { recursive: true });
  assert.deepEqual(listScratches(root), [{ id: 'abc', aside: left }]);
  await removeAside(left, root);
  assert.deepEqual(listScratches(root), []);
});

test('paths that are too long, closed folders, links and odd names are no hindrance', async () => {
  const user = process.getuid?.() === 0 ? 54_321 : process.getuid?.();
  chmodSync(root, 0o777);
  // Root may enter what is closed: so by somebody else, where we can.
  const script = `
    const fs = require('node:fs');
    const { removeScratch, makeScratch } = await import(${JSON.stringify(SCRATCH_MODULE)});
    process.chdir(makeScratch('odd', null, ${JSON.stringify(root)}));
    fs.symlinkSync('/etc', 'link');
    fs.writeFileSync('a\\nb\\x1b[31m', '');
    fs.mkdirSync('closed/in', { recursive: true });
    fs.chmodSync('closed', 0);
    for (let depth = 0; depth < 300; depth += 1) (fs.mkdirSync('d'.repeat(20)), process.chdir('d'.repeat(20)));
    process.chdir('/');
    fs.chmodSync(${JSON.stringify(join(root, 'q-workflow-odd'))}, 0);
    // The removal itself keeps no process.
    const kept = setInterval(() => undefined, 1000);
    await removeScratch('odd', ${JSON.stringify(root)});
    clearInterval(kept);`;
  const argv = [
    '--input-type=module',
    '-e',
    `import { createRequire } from 'node:module'; const require = createRequire('/');${script}`,
  ];
  const { stderr, status } = spawnSync(process.execPath, argv, { uid: user, cwd: '/', encoding: 'utf8' });
  assert.equal(status, 0, stderr);
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
