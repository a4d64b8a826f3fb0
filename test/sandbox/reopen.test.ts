import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CgroupIsolation } from '../../sandbox/cgroupfs/isolation.ts';
import { V2 } from '../../sandbox/cgroupfs/v2.ts';
import type { ScopeRecord } from '../../sandbox/isolation.ts';
import { PollingIsolation } from '../../sandbox/polling/isolation.ts';
import { MARKER } from '../../sandbox/shim.ts';

const report = { backend: 'cgroup-v2', enforced: [], observed: [], missing: [] } as const;

test('a scope of cgroups is looked for in its folders, also by a supervisor that polls', () => {
  const isolation = new PollingIsolation('k', []);
  const record: ScopeRecord = {
    backend: 'cgroup-v2',
    name: 'a.1',
    folders: { unified: '/' },
    marker: 'k/a.1',
  };
  assert.equal(isolation.reopenScope({ ...record, folders: { unified: '/nowhere/a.1' } }), null);
  const scope = isolation.reopenScope(record);
  assert.equal(scope?.record.backend, 'cgroup-v2');
  scope?.close();
});

test('a scope that was polled is looked for by its processes, also by a supervisor with cgroups', (t) => {
  const isolation = new CgroupIsolation({ version: V2, parents: {}, others: [], report }, 'k');
  const record: ScopeRecord = { backend: 'polling', name: 'a.1', folders: {}, marker: 'k/no-such-scope' };
  assert.equal(isolation.reopenScope(record), null);
  // A process in the scope finds it, though it is the only one.
  process.env[MARKER] = record.marker;
  t.after(() => delete process.env[MARKER]);
  const scope = isolation.reopenScope(record);
  assert.equal(scope?.record.backend, 'polling');
  scope?.close();
});
