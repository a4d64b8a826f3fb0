import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeKey, readKey } from '../../src/audit/keys.ts';

test('a key that could not be written whole, or whose writing was cut short, keeps none from being made', () => {
  const keys = join(mkdtempSync(join(tmpdir(), 'qw-keys-')), 'keys');
  try {
    const module = join(import.meta.dirname, '..', '..', 'src', 'audit', 'keys.ts');
    const program = `import { makeKey } from ${JSON.stringify(module)}; makeKey(process.argv[1], 'one');`;
    // The file can be made and takes no byte, as on a full disk.
    const line = ['-c', 'ulimit -f 0; exec "$@"', 'sh'];
    const words = [process.execPath, '--input-type=module', '-e', program, keys];
    const { stderr } = spawnSync('/bin/sh', [...line, ...words], { encoding: 'utf8' });
    assert.match(stderr, /EFBIG: file too large, write/);
    assert.deepEqual(readdirSync(keys), []);
    writeFileSync(join(keys, 'audit-one.key.new'), '-----BEGIN');
    const made = makeKey(keys, 'one');
    assert.deepEqual(readdirSync(keys), ['audit-one.key']);
    assert.equal(readKey(keys, 'one')?.publicKey, made.publicKey);
  } finally {
    rmSync(join(keys, '..'), { recursive: true });
  }
});
