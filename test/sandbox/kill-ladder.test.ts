import assert from 'node:assert/strict';
import { test } from 'node:test';
import { climbKillLadder, JointKill, type KillTarget } from '../../sandbox/kill-ladder.ts';

/** Above the highest pid of Linux: no signal of a test can hit anything. */
const GHOST = 2 ** 30;

/** A scope that is empty after so many strikes. */
function target(strikesNeeded: number): KillTarget & { strikes: number } {
  return {
    strikes: 0,
    pids() {
      return this.strikes >= strikesNeeded ? [] : [GHOST, GHOST + 1 + this.strikes];
    },
    async release() {
      // Nothing is stopped here.
    },
    async strike() {
      this.strikes += 1;
    },
    async isEmptyWithin(timeoutMs) {
      if (this.strikes < strikesNeeded) await new Promise((resolve) => setTimeout(resolve, timeoutMs));
      return this.strikes >= strikesNeeded;
    },
  };
}

test('an empty scope is left alone', async () => {
  const empty = target(0);
  const { durationMs, ...report } = await climbKillLadder(empty, { graceMs: 1000, timeoutMs: 1000 });
  assert.deepEqual(report, { found: [], foundCount: 0, killedCount: 0, survivors: [] });
  assert.equal(empty.strikes, 0);
  assert.ok(durationMs < 500);
});

test('it strikes again until the scope is empty, and counts each process once', async () => {
  const stubborn = target(3);
  const report = await climbKillLadder(stubborn, { graceMs: 0, timeoutMs: 5000 });
  assert.deepEqual(report.survivors, []);
  assert.equal(report.foundCount, 2);
  assert.equal(report.killedCount, 4);
  assert.equal(stubborn.strikes, 3);
});

test('what cannot be killed is reported after the time', async () => {
  const stuck = target(Number.POSITIVE_INFINITY);
  const report = await climbKillLadder(stuck, { graceMs: 0, timeoutMs: 50 });
  assert.equal(report.survivors.length, 2);
  assert.ok(report.durationMs >= 50 && report.durationMs < 1000);
});

test('later kills join the first, one with a shorter grace does not wait for it', async () => {
  const joint = new JointKill();
  const scope = target(1);
  const slow = joint.climb(scope, { graceMs: 300, timeoutMs: 1000 });
  assert.equal(joint.climb(scope, { graceMs: 500, timeoutMs: 1000 }), slow);
  const fast = joint.climb(scope, { graceMs: 0, timeoutMs: 1000 });
  assert.notEqual(fast, slow);
  assert.ok((await fast).durationMs < 200);
  assert.deepEqual((await slow).survivors, []);
});

test('a scope takes nothing more once its kill has begun', async () => {
  const joint = new JointKill();
  joint.assertOpen('x');
  await joint.climb(target(0), { graceMs: 0, timeoutMs: 100 });
  assert.throws(() => joint.assertOpen('x'), {
    code: 'SCOPE_FAILED',
    message: 'Scope "x" is being ended: nothing more is started in it.',
  });
});
