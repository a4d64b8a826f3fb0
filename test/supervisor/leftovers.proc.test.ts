import assert from 'node:assert/strict';
import { test } from 'node:test';
import { homeKey } from '../../sandbox/choose.ts';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { openBench } from '../setup/bench-home.ts';
import { foldersOf } from '../setup/leftovers.ts';

test('a supervisor that leaves nothing running leaves no cgroup', { timeout: 60_000 }, async (t) => {
  const bench = openBench();
  t.after(() => bench.close());
  bench.skill('true', { type: 'code_inline', command: 'true' });
  bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'true' }] });
  const key = homeKey(bench.home);
  assert.equal((await bench.q('run', 'tiny')).status, 0);
  const { isolation } = (await bench.json('supervisor', 'status')) as SupervisorStatus;
  if (isolation.backend === 'polling') return t.skip('this machine has no usable cgroup');
  assert.notEqual(foldersOf(key).length, 0);
  assert.equal((await bench.q('supervisor', 'stop')).status, 0);
  assert.deepEqual(foldersOf(key), []);
});
