import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type DoctorRow,
  describeIsolation,
  describeLayers,
  describeLingering,
} from '../../sandbox/describe.ts';
import type { BackendName } from '../../sandbox/isolation.ts';
import { type Layers, missingLayersMessage } from '../../sandbox/layers.ts';
import { PollingIsolation } from '../../sandbox/polling/isolation.ts';

const LAYERS: Layers = {
  setpriv: { name: 'setpriv', path: '/usr/bin/setpriv', version: '2.38.1', note: '', fix: '' },
  bubblewrap: {
    name: 'bubblewrap',
    path: '/usr/bin/bwrap',
    version: '0.8.0',
    note: '',
    fix: '',
    takesDescriptors: true,
  },
  seccomp: { name: 'seccomp', path: '/usr/bin/bwrap', version: '', note: '', fix: '' },
};

function without(name: keyof Layers, note: string, fix: string): Layers {
  return { ...LAYERS, [name]: { ...LAYERS[name], path: null, note, fix } };
}

test('a full cgroup backend is well in every row', () => {
  const report = {
    backend: 'cgroup-v2',
    enforced: ['memory', 'cpu', 'processes', 'io'],
    observed: ['time', 'disk'],
    missing: [],
  } as const;
  const rows = [...describeIsolation(report), ...describeLayers(LAYERS, 1000)];
  assert.deepEqual(rows, [
    { name: 'isolation backend', ok: true, detail: 'cgroup-v2', fix: '' },
    { name: 'memory limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'CPU limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'process limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'IO limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'time limit', ok: true, detail: 'observed by the supervisor', fix: '' },
    { name: 'disk limit', ok: true, detail: 'observed by the supervisor', fix: '' },
    { name: 'setpriv', ok: true, detail: '/usr/bin/setpriv, version 2.38.1', fix: '' },
    { name: 'bubblewrap', ok: true, detail: '/usr/bin/bwrap, version 0.8.0', fix: '' },
    { name: 'seccomp', ok: true, detail: 'loaded by /usr/bin/bwrap', fix: '' },
  ]);
});

test('polling is never called enforced, and each row says what to do', () => {
  const rows = describeIsolation(new PollingIsolation('k', ['No cgroup here.']).report);
  assert.deepEqual(
    rows.map(({ name, ok }) => [name, ok]),
    [
      ['isolation backend', false],
      ['memory limit', false],
      ['CPU limit', false],
      ['process limit', false],
      ['IO limit', false],
      ['time limit', true],
      ['disk limit', true],
    ],
  );
  assert.ok(rows.every(({ ok, fix }) => ok === (fix === '')));
});

test('an IO limit that is not held says why, and to a user of systemd how it is delegated', () => {
  const rowOf = (backend: BackendName, uid: number): DoctorRow | undefined =>
    describeIsolation(
      { backend, enforced: ['memory', 'cpu', 'processes'], observed: [], missing: [] },
      uid,
    ).find(({ name }) => name === 'IO limit');
  const users = rowOf('cgroup-v2', 1000);
  assert.equal(users?.detail, 'not held: cgroup v2 has no controller io here that holds limits');
  assert.equal(
    users?.fix,
    'Write "[Service]" and "Delegate=cpu memory pids io" into /etc/systemd/system/user@.service.d/delegate.conf, then: systemctl daemon-reload && systemctl restart user@1000',
  );
  assert.match(rowOf('cgroup-v2', 0)?.fix ?? '', /Delegate=yes/);
  assert.equal(rowOf('cgroup-v1', 0)?.detail, 'not held: only cgroup v2 holds it, and this is cgroup-v1');
  assert.match(rowOf('cgroup-v1', 0)?.fix ?? '', /unified_cgroup_hierarchy=1/);
});

test('a missing layer names the package to install', () => {
  const install = 'install the package "bubblewrap"';
  assert.equal(
    missingLayersMessage(without('bubblewrap', 'bubblewrap is not installed', install)),
    'Steps run without a file system sandbox: bubblewrap is not installed; install the package "bubblewrap".',
  );
  assert.equal(
    missingLayersMessage(without('seccomp', 'the filter was refused: x', 'use another kernel')),
    'Steps run without a filter of system calls: the filter was refused: x; use another kernel.',
  );
  assert.equal(
    missingLayersMessage(without('setpriv', 'setpriv is not installed', 'install the package "util-linux"')),
    'Steps keep the privileges of the supervisor: setpriv is not installed; install the package "util-linux".',
  );
  assert.equal(missingLayersMessage(LAYERS), null);
});

test('doctor says that steps run as uid 0 where root owns the workspace, and only to root', () => {
  const names = (uid: number): string[] => describeLayers(LAYERS, uid).map(({ name }) => name);
  assert.deepEqual(names(0), ['setpriv', 'bubblewrap', 'seccomp', 'user of steps']);
  assert.deepEqual(names(1000), ['setpriv', 'bubblewrap', 'seccomp']);
});

test('lingering is a question only for users under systemd, and the row has the command that mends it', () => {
  const has =
    (...paths: string[]) =>
    (path: string) =>
      paths.includes(path);
  assert.equal(describeLingering('ann', 1000, has()), null);
  assert.equal(describeLingering('root', 0, has('/run/systemd/system')), null);
  assert.equal(describeLingering('ann', 1000, has('/run/systemd/system'))?.fix, 'loginctl enable-linger ann');
  const lingers = has('/run/systemd/system', '/var/lib/systemd/linger/ann');
  assert.equal(describeLingering('ann', 1000, lingers)?.ok, true);
});
