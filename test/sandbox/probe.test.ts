import assert from 'node:assert/strict';
import { test } from 'node:test';
import { problemLines } from '../../sandbox/cgroupfs/probe.ts';

test('controllers that are refused for the same cause share a line, with the first path', () => {
  const denied = (controller: string): string =>
    `EACCES: permission denied, mkdir '/sys/fs/cgroup/${controller}/q-workflow/.probe-7'`;
  const failures = new Map([
    ['memory', denied('memory')],
    ['cpu', 'it is not mounted'],
    ['pids', denied('pids')],
  ]);
  assert.deepEqual(problemLines(failures), [
    `cgroup v1 memory, pids: ${denied('memory')}.`,
    'cgroup v1 cpu: it is not mounted.',
  ]);
  assert.deepEqual(problemLines(new Map()), []);
});
