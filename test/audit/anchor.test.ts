import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { anchorHead, anchorLine, parseAnchor } from '../../src/audit/anchor.ts';
import { anchorPath, anchorPlace, appendAnchor, readAnchor } from '../../src/audit/anchor-file.ts';
import { type Checkpoint, signCheckpoint } from '../../src/audit/checkpoint.ts';
import { type AuditKey, makeKey, otherLogs, readKey } from '../../src/audit/keys.ts';

const withKey = async (act: (key: AuditKey, folder: string) => void | Promise<void>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), 'qw-anchor-'));
  try {
    await act(makeKey(join(folder, 'keys'), 'one'), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
};
const checkpoint = (key: AuditKey, log: string, number: number): Checkpoint =>
  signCheckpoint({ log, number, seq: number * 10, hash: 'h', at: 1, previous: null }, key);

test('the anchor lies outside of the state folder, or where the variable says', () => {
  const env = { HOME: '/home/ann' };
  assert.equal(anchorPath('/s', 'x', env), '/home/ann/.local/share/q-workflow/anchors/x.jsonl');
  assert.equal(anchorPath('/s', 'x', { ...env, XDG_DATA_HOME: '/d' }), '/d/q-workflow/anchors/x.jsonl');
  assert.equal(anchorPath('/s', 'x', { ...env, Q_WORKFLOW_ANCHOR: '/a/b' }), '/a/b');
  assert.equal(anchorPlace('/s', env), '/home/ann/.local/share/q-workflow/anchors');
  assert.equal(anchorPlace('/s', { ...env, Q_WORKFLOW_ANCHOR: '/a/b' }), '/a/b');
  const service = anchorPath('/var/lib/q-workflow', 'x', env);
  assert.equal(
    service,
    process.getuid?.() === 0
      ? '/var/log/q-workflow/anchors/x.jsonl'
      : '/home/ann/.local/share/q-workflow/anchors/x.jsonl',
  );
});

test('several logs share an anchor, and each reads its own lines', async () => {
  await withKey((key) => {
    const text =
      anchorHead('a', key.publicKey, '/h', 1) +
      anchorHead('b', 'ed25519:other', '/i', 2) +
      anchorLine(checkpoint(key, 'a', 1)) +
      anchorLine(checkpoint(key, 'b', 1)) +
      anchorLine(checkpoint(key, 'a', 2));
    const read = parseAnchor(text, 'a');
    assert.deepEqual(
      [read.keys, read.checkpoints.map(({ number, line }) => [number, line]), read.badLines, read.rest],
      [
        [key.publicKey],
        [
          [1, 3],
          [2, 5],
        ],
        [],
        '',
      ],
    );
  });
});

test('a line that a crash cut is no bad line when the same one follows as a whole', async () => {
  await withKey((key) => {
    const line = anchorLine(checkpoint(key, 'a', 1));
    const cut = line.slice(0, 40);
    assert.deepEqual(parseAnchor(`${cut}\n${line}`, 'a').badLines, []);
    assert.equal(parseAnchor(`${cut}\n${line}`, 'a').checkpoints.length, 1);
    assert.deepEqual(parseAnchor(`${cut}\nx${line}`, 'a').badLines, [1, 2]);
    assert.equal(parseAnchor(line + cut, 'a').rest, cut);
  });
});

test('appending makes folder and file for the owner alone, and a missing file reads as none', async () => {
  await withKey(async (_key, folder) => {
    const file = join(folder, 'x', 'y', 'anchor.jsonl');
    assert.equal(readAnchor(file), null);
    await appendAnchor(file, 'one\n');
    await appendAnchor(file, 'two\n');
    assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n');
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(statSync(join(folder, 'x')).mode & 0o777, 0o700);
    assert.throws(() => readAnchor(folder), { message: `the anchor ${folder} is not a regular file` });
  });
});

test('a key is read again as it was made, and a second one of the same name is not made', async () => {
  await withKey((key, folder) => {
    const keys = join(folder, 'keys');
    const again = readKey(keys, 'one');
    assert.deepEqual([again?.publicKey, again?.seal('x')], [key.publicKey, key.seal('x')]);
    assert.match(key.seal('x'), /^[0-9a-f]{32}$/);
    assert.notEqual(key.seal('x'), key.seal('y'));
    assert.throws(() => makeKey(keys, 'one'), { code: 'EEXIST' });
    assert.equal(readKey(keys, 'two'), null);
    assert.deepEqual(otherLogs(join(folder, 'none'), null), []);
    assert.deepEqual(otherLogs(join(keys, 'audit-one.key'), null), []);
  });
});
