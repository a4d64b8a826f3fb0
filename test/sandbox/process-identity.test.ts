import assert from 'node:assert/strict';
import { test } from 'node:test';
import { identify, isAlive, processAgeMs } from '../../sandbox/process-identity.ts';

const skip = process.platform === 'linux' ? false : 'the start of a process is told by /proc';

test('a process of the same pid that was started at another time, or in another boot, is another one', {
  skip,
}, () => {
  const own = identify(process.pid);
  assert.ok(own !== null && isAlive(own));
  assert.equal(isAlive({ ...own, startTime: String(Number(own.startTime) - 1) }), false);
  assert.equal(isAlive({ ...own, bootId: 'another' }), false);
});

test('the age of a process is that of this boot, or not known', { skip }, () => {
  const own = identify(process.pid);
  assert.ok(own !== null);
  const age = processAgeMs(own);
  // Both are told to a hundredth of a second.
  assert.ok(age !== null && Math.abs(age - process.uptime() * 1000) < 1_000, `${age} ms`);
  assert.equal(processAgeMs({ ...own, bootId: 'another' }), null);
  assert.equal(processAgeMs({ ...own, startTime: '' }), null);
});
