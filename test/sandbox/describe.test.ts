import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupIsolation } from '../../sandbox/cgroupfs/isolation.ts';
import { V2 } from '../../sandbox/cgroupfs/v2.ts';
import { describeIsolation } from '../../sandbox/describe.ts';
import { missingLayersMessage } from '../../sandbox/layers.ts';
import { PollingIsolation } from '../../sandbox/polling/isolation.ts';

test('a full cgroup backend is well in every row', () => {
  const report = {
    backend: 'cgroup-v2',
    enforced: ['memory', 'cpu', 'processes'],
    observed: ['time', 'disk'],
    missing: [],
  } as const;
  const isolation = new CgroupIsolation({ version: V2, parents: {}, others: [], report }, 'k');
  const layers = { bubblewrap: { path: '/usr/bin/bwrap', version: '0.8.0' }, note: '' };
  assert.deepEqual(describeIsolation(isolation, layers), [
    { name: 'isolation backend', ok: true, detail: 'cgroup-v2', fix: '' },
    { name: 'memory limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'CPU limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'process limit', ok: true, detail: 'enforced by cgroup-v2', fix: '' },
    { name: 'time limit', ok: true, detail: 'observed by the supervisor', fix: '' },
    { name: 'disk limit', ok: true, detail: 'observed by the supervisor', fix: '' },
    { name: 'bubblewrap', ok: true, detail: '/usr/bin/bwrap, version 0.8.0', fix: '' },
  ]);
});

test('polling is never called enforced, and each row says what to do', () => {
  const rows = describeIsolation(new PollingIsolation('k', ['No cgroup here.']));
  assert.deepEqual(
    rows.map(({ name, ok }) => [name, ok]),
    [
      ['isolation backend', false],
      ['memory limit', false],
      ['CPU limit', false],
      ['process limit', false],
      ['time limit', true],
      ['disk limit', true],
    ],
  );
  assert.ok(rows.every(({ ok, fix }) => ok === (fix === '')));
});

test('a missing layer names the package to install', () => {
  assert.equal(
    missingLayersMessage({ bubblewrap: null, note: 'bubblewrap is not installed' }),
    'Steps run without a file system sandbox: bubblewrap is not installed; install the package "bubblewrap".',
  );
  assert.equal(
    missingLayersMessage({ bubblewrap: null, note: 'bubblewrap does not work: Permission denied' }),
    'Steps run without a file system sandbox: bubblewrap does not work: Permission denied; allow it to make user namespaces (an AppArmor profile for bwrap).',
  );
  assert.equal(
    missingLayersMessage({ bubblewrap: { path: '/usr/bin/bwrap', version: '0.8.0' }, note: '' }),
    null,
  );
});
