import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { makeAgentHome } from '../../src/instance/agent-home.ts';

const isRoot = process.getuid?.() === 0;
const SOMEBODY = { uid: 54_321, gid: 54_322, name: null, home: null };
let scratch: string;
let outside: string;

beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'q-agent-home-'));
  outside = mkdtempSync(join(tmpdir(), 'q-agent-outside-'));
});
afterEach(() => {
  for (const folder of [scratch, outside]) rmSync(folder, { recursive: true });
});

test('a home has its files, private and the user’s, all the way down', () => {
  const files = { 'top.json': '1', '.tool/agents/it.json': '2', '.tool/settings.json': '3' };
  const home = makeAgentHome(scratch, files, isRoot ? SOMEBODY : null);
  const owner = isRoot ? SOMEBODY.uid : process.getuid?.();
  for (const [name, text] of Object.entries(files))
    assert.equal(readFileSync(join(home, name), 'utf8'), text);
  for (const name of ['.', '.tool', '.tool/agents'])
    assert.equal(statSync(join(home, name)).mode & 0o777, 0o700);
  for (const name of ['.', '.tool', '.tool/agents', ...Object.keys(files)])
    assert.equal(statSync(join(home, name)).uid, owner, name);
  assert.equal(statSync(join(home, 'top.json')).mode & 0o777, 0o600);
});

test('a home that a step swaps for a link while it is made leads nowhere', {
  skip: process.platform === 'linux' ? false : 'folders are held on Linux',
}, () => {
  mkdirSync(join(outside, '.tool'));
  const files = {
    // Read when the home is there and has nothing in it yet.
    get '.tool/it.json'(): string {
      const [name = ''] = readdirSync(scratch);
      renameSync(join(scratch, name), join(scratch, 'aside'));
      symlinkSync(outside, join(scratch, name));
      return 'text';
    },
    'it.json': 'text',
  };
  const home = makeAgentHome(scratch, files, isRoot ? SOMEBODY : null);
  assert.equal(lstatSync(home).isSymbolicLink(), true);
  assert.deepEqual(readdirSync(outside, { recursive: true }), ['.tool']);
  assert.equal(statSync(outside).uid, process.getuid?.());
  assert.deepEqual(readdirSync(join(scratch, 'aside')).toSorted(), ['.tool', 'it.json']);
});

test('a scratch folder that is a link is refused', {
  skip: process.platform === 'linux' ? false : 'folders are held on Linux',
}, () => {
  const link = join(scratch, 'link');
  symlinkSync(outside, link);
  assert.throws(() => makeAgentHome(link, {}, null), { code: 'ENOTDIR' });
  assert.deepEqual(readdirSync(outside), []);
});
