import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { chooseIsolation } from '../../sandbox/choose.ts';
import { probeLayers } from '../../sandbox/layers.ts';

const skip = process.platform === 'linux' ? false : 'this machine is not Linux';

function fakeBwrap(t: TestContext, script: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'q-bwrap-'));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'bwrap'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'bwrap'), 0o755);
  return folder;
}

test('bubblewrap is found with its version when it works', { skip }, async (t) => {
  const folder = fakeBwrap(t, 'case $1 in --version) echo "bubblewrap 0.8.0";; esac');
  assert.deepEqual(await probeLayers(folder), {
    bubblewrap: { path: join(folder, 'bwrap'), version: '0.8.0' },
    note: '',
  });
});

test('bubblewrap that is refused is not a layer, and its words are kept', { skip }, async (t) => {
  const folder = fakeBwrap(t, 'echo "bwrap: setting up uid map: Permission denied" >&2; exit 1');
  assert.deepEqual(await probeLayers(folder), {
    bubblewrap: null,
    note: 'bubblewrap does not work: bwrap: setting up uid map: Permission denied',
  });
});

test('bubblewrap that hangs is given up after 2 s', { skip }, async (t) => {
  const folder = fakeBwrap(t, 'while :; do :; done');
  assert.equal((await probeLayers(folder)).note, 'bubblewrap does not work: no answer within 2000 ms');
});

test('bubblewrap that is not there is said so', { skip }, async () => {
  assert.deepEqual(await probeLayers('/nowhere'), { bubblewrap: null, note: 'bubblewrap is not installed' });
});

test('polling is chosen when it is asked for', () => {
  const isolation = chooseIsolation({ home: '/nowhere/q', requested: 'polling' });
  assert.equal(isolation.report.backend, 'polling');
  isolation.close();
});
