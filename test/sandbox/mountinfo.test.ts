import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  findMount,
  foldersUpward,
  parseMountinfo,
  parseOwnCgroups,
} from '../../sandbox/cgroupfs/mountinfo.ts';

const HYBRID = `31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct
35 31 0:32 /docker/abc /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,xattr,name=systemd
41 31 0:38 / /sys/fs/cgroup/with\\040blank rw,relatime - cgroup2 cgroup2 rw,nsdelegate
`;

test('mountinfo of a hybrid machine names each hierarchy', () => {
  assert.deepEqual(parseMountinfo(HYBRID), [
    { version: 1, mountPoint: '/sys/fs/cgroup/cpu,cpuacct', root: '/', controllers: ['cpu', 'cpuacct'] },
    { version: 1, mountPoint: '/sys/fs/cgroup/memory', root: '/docker/abc', controllers: ['memory'] },
    { version: 1, mountPoint: '/sys/fs/cgroup/systemd', root: '/', controllers: [] },
    { version: 2, mountPoint: '/sys/fs/cgroup/with blank', root: '/', controllers: [] },
  ]);
});

test('co-mounted controllers are found in the same mount', () => {
  const mounts = parseMountinfo(HYBRID);
  assert.equal(findMount(mounts, 'cpu'), findMount(mounts, 'cpuacct'));
  assert.equal(findMount(mounts, '')?.mountPoint, '/sys/fs/cgroup/with blank');
  assert.equal(findMount(mounts, 'pids'), undefined);
});

test('own cgroups are told by controller, the v2 one under an empty name', () => {
  const own = parseOwnCgroups('9:name=systemd:/\n4:memory:/a/b:c\n2:cpu,cpuacct:/x\n0::/user.slice\n');
  assert.deepEqual(
    [...own],
    [
      ['name=systemd', '/'],
      ['memory', '/a/b:c'],
      ['cpu', '/x'],
      ['cpuacct', '/x'],
      ['', '/user.slice'],
    ],
  );
});

test('folders to try go from the own cgroup up to the mount point', () => {
  const mount = { version: 1, mountPoint: '/cg', root: '/', controllers: [] } as const;
  assert.deepEqual(foldersUpward(mount, '/'), ['/cg']);
  assert.deepEqual(foldersUpward(mount, '/a/b'), ['/cg/a/b', '/cg/a', '/cg']);
  assert.deepEqual(foldersUpward({ ...mount, root: '/docker/abc' }, '/docker/abc/x'), ['/cg/x', '/cg']);
  assert.deepEqual(foldersUpward({ ...mount, root: '/docker/abc' }, '/elsewhere'), ['/cg']);
  assert.deepEqual(foldersUpward(mount, '/../..'), ['/cg']);
});

test('a path inside one of our own scopes is cut before it', () => {
  const mount = { version: 2, mountPoint: '/cg', root: '/', controllers: [] } as const;
  assert.deepEqual(foldersUpward(mount, '/a/q-workflow/01234567/i-1/host'), ['/cg/a', '/cg']);
  assert.deepEqual(foldersUpward(mount, '/q-workflow/leaf'), ['/cg']);
});
