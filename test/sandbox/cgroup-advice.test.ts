import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type CgroupMachine, cgroupAdvice, cgroupMachine } from '../../sandbox/cgroup-advice.ts';

const machine: CgroupMachine = { isLinux: true, hasSystemd: true, isUnified: true, isRoot: false };
const advice = (more: Partial<CgroupMachine>, missing = ['No cgroup here.']): string =>
  cgroupAdvice(missing, { ...machine, ...more });
const DELEGATED = /^Start the supervisor in a delegated unit: systemd-run --user --scope -p Delegate=yes /;

test('a delegated unit is advised only where systemd can delegate: on cgroup v2', () => {
  assert.match(advice({}), DELEGATED);
  assert.match(advice({ isRoot: true }), /: systemd-run --scope -p Delegate=yes /);
  for (const more of [
    { isUnified: false },
    { isUnified: false, isRoot: true },
    { isUnified: false, hasSystemd: false },
    { hasSystemd: false },
    { isLinux: false },
  ])
    assert.doesNotMatch(advice(more), /systemd-run/, JSON.stringify(more));
});

test('elsewhere the advice is what would help there', () => {
  assert.equal(
    advice({ isUnified: false }),
    'Boot with cgroup v2: systemd.unified_cgroup_hierarchy=1, or run the supervisor as root',
  );
  assert.equal(
    advice({ isUnified: false, isRoot: true }),
    'Boot with cgroup v2: systemd.unified_cgroup_hierarchy=1',
  );
  assert.match(advice({ hasSystemd: false }), /writable/);
  assert.match(advice({}, ['Polling was asked for.']), /^Leave --isolation and Q_WORKFLOW_ISOLATION away/);
});

test('a machine is known by what is mounted and running there', () => {
  const there = (...paths: string[]): CgroupMachine => cgroupMachine(0, (path) => paths.includes(path));
  assert.equal(there().isUnified, false);
  assert.equal(there('/sys/fs/cgroup/cgroup.controllers').isUnified, true);
  assert.equal(there('/run/systemd/system').hasSystemd, true);
  assert.deepEqual([there().isRoot, cgroupMachine(1000, () => false).isRoot], [true, false]);
});
