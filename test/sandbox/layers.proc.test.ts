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

/** The programs that a probe needs besides bwrap. */
const REST = '/usr/bin:/bin';

test('bubblewrap is found with its version when it works', { skip }, async (t) => {
  const script =
    'case $1 in --version) echo "bubblewrap 0.8.0";; --help) echo "  --ro-bind-fd FD DEST";; esac';
  const folder = fakeBwrap(t, script);
  const { bubblewrap, seccomp } = await probeLayers({ searchPath: `${folder}:${REST}` });
  assert.deepEqual(bubblewrap, {
    name: 'bubblewrap',
    path: join(folder, 'bwrap'),
    version: '0.8.0',
    note: '',
    fix: '',
    takesDescriptors: true,
  });
  assert.equal(seccomp.path, join(folder, 'bwrap'));
});

test('bubblewrap that is refused is not a layer, its words are kept, and seccomp goes with it', {
  skip,
}, async (t) => {
  const folder = fakeBwrap(t, 'echo "bwrap: setting up uid map: Permission denied" >&2; exit 1');
  const { bubblewrap, seccomp } = await probeLayers({ searchPath: `${folder}:${REST}` });
  assert.deepEqual(bubblewrap, {
    name: 'bubblewrap',
    path: null,
    version: '',
    note: 'bubblewrap does not work: bwrap: setting up uid map: Permission denied',
    fix: 'allow it to make user namespaces (an AppArmor profile for bwrap)',
    takesDescriptors: false,
  });
  assert.deepEqual(seccomp, {
    name: 'seccomp',
    path: null,
    version: '',
    note: 'bubblewrap loads it',
    fix: 'make bubblewrap work',
  });
});

test('a filter that bubblewrap does not load is not a layer', { skip }, async (t) => {
  const folder = fakeBwrap(
    t,
    'case $1 in --seccomp) echo "bwrap: prctl(PR_SET_SECCOMP): Invalid argument" >&2; exit 1;; esac',
  );
  const { bubblewrap, seccomp } = await probeLayers({ searchPath: `${folder}:${REST}` });
  assert.equal(bubblewrap.path, join(folder, 'bwrap'));
  assert.equal(seccomp.note, 'the filter was refused: bwrap: prctl(PR_SET_SECCOMP): Invalid argument');
});

test('bubblewrap that hangs is given up after 2 s', { skip }, async (t) => {
  const folder = fakeBwrap(t, 'while :; do :; done');
  const { bubblewrap } = await probeLayers({ searchPath: folder });
  assert.equal(bubblewrap.note, 'bubblewrap does not work: no answer within 2000 ms');
  assert.equal(bubblewrap.isLate, true);
});

test('what is not there is said so, with its package', { skip }, async () => {
  const { bubblewrap, setpriv } = await probeLayers({ searchPath: '/nowhere' });
  assert.deepEqual(
    [bubblewrap.note, bubblewrap.fix],
    ['bubblewrap is not installed', 'install the package "bubblewrap"'],
  );
  assert.deepEqual(
    [setpriv.note, setpriv.fix],
    ['setpriv is not installed', 'install the package "util-linux"'],
  );
});

test('a program that others may change is none for root', {
  skip: skip || (process.getuid?.() !== 0 && 'this is not root'),
}, async (t) => {
  const folder = fakeBwrap(t, 'exit 0');
  chmodSync(join(folder, 'bwrap'), 0o777);
  assert.equal((await probeLayers({ searchPath: folder })).bubblewrap.note, 'bubblewrap is not installed');
});

test('polling is chosen when it is asked for', () => {
  const isolation = chooseIsolation({ home: '/nowhere/q', requested: 'polling' });
  assert.equal(isolation.report.backend, 'polling');
  isolation.close();
});
