import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { folderSize } from '../../../src/supervisor/upkeep/folder-size.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'qw-size-'));
});
// By a program that goes down by descriptors: some paths in it are too long for us.
afterEach(() => void execFileSync('rm', ['-rf', '--', root]));

test('more files than are counted here are counted by a process, each once', async () => {
  mkdirSync(join(root, 'in'));
  for (const name of ['a', 'b', 'c', 'in/d']) writeFileSync(join(root, name), Buffer.alloc(64 * 1024, 1));
  linkSync(join(root, 'a'), join(root, 'in/e'));
  symlinkSync('/usr', join(root, 'usr'));
  for (const most of [3, 100]) {
    const bytes = await folderSize(root, most);
    assert.ok(bytes >= 256 * 1024 && bytes < 300 * 1024, `${bytes} bytes`);
  }
});

test('what lies deeper than a path can name counts', async () => {
  const dig = `process.chdir(process.argv[1]);
    const { mkdirSync, writeFileSync } = require('node:fs');
    for (let i = 0; i < 3000; i += 1) { mkdirSync('d'); process.chdir('d'); }
    writeFileSync('large', Buffer.alloc(64 * 1024 * 1024, 1));`;
  execFileSync(process.execPath, ['-e', dig, root]);
  assert.ok((await folderSize(root)) >= 64 * 1024 * 1024);
});
