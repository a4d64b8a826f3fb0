import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Duty, FRESH_DUTY, nextDuty } from '../../sandbox/polling/duty-cycle.ts';
import { closure } from '../../sandbox/polling/members.ts';
import { isWithin, type ProcessRow, parseMarker, parseStat } from '../../sandbox/polling/process-table.ts';
import { pauseAfter } from '../../sandbox/polling/sampler.ts';

const MIB = 1024 * 1024;

test('a stat line is read past a command name with blanks and brackets', () => {
  const text = '42 (a ) (b) c) S 7 40 39 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 1000 1';
  assert.deepEqual(parseStat(text), { pid: 42, parent: 7, group: 40, session: 39, startTime: '98765' });
});

test('a zombie is no process', () => {
  assert.equal(parseStat('42 (sh) Z 7 40 39 0 -1 0'), null);
});

test('the marker is read from an environment, and children match by prefix', () => {
  assert.equal(parseMarker('A=1\0Q_WORKFLOW_SCOPE=k/i-1/step\0B=2\0'), 'k/i-1/step');
  assert.equal(parseMarker('XQ_WORKFLOW_SCOPE=k\0'), null);
  assert.equal(isWithin('k/i-1/step', 'k/i-1'), true);
  assert.equal(isWithin('k/i-1', 'k/i-1'), true);
  assert.equal(isWithin('k/i-10', 'k/i-1'), false);
});

const row = (pid: number, parent: number, group = pid, session = group): ProcessRow => ({
  pid,
  parent,
  group,
  session,
  startTime: '1',
});

test('the closure follows parents, groups and sessions, and never takes ourselves', () => {
  const rows = [
    row(10, 1), // the root
    row(11, 10, 10), // its child
    row(12, 11), // a grandchild in a session of its own
    row(13, 1, 10), // re-parented, still in the group of the root
    row(14, 1, 12), // re-parented, in the group of the grandchild
    row(15, 1, 99), // in the group of a member that is gone
    row(20, 1), // a stranger
    row(30, 10), // ourselves, started by a member
    row(31, 30), // our child: not theirs
  ];
  const found = closure(rows, new Set([10]), new Set([99]), 30).map(({ pid }) => pid);
  assert.deepEqual(
    found.sort((a, b) => a - b),
    [10, 11, 12, 13, 14, 15],
  );
});

test('the duty cycle gives a hog its percentage in the long run', () => {
  for (const percent of [10, 50, 150]) {
    let duty: Duty = FRESH_DUTY;
    let usedMs = 0;
    for (let tick = 0; tick < 2000; tick += 1) {
      // Two hogs on two cores: 100 ms of CPU in 50 ms of clock while not held.
      const used = duty.isHeld ? 0 : 100;
      usedMs += used;
      duty = nextDuty(duty, 50, used, percent);
    }
    const share = (100 * usedMs) / (2000 * 50);
    assert.ok(Math.abs(share - percent) < 1, `${share} for ${percent}`);
  }
});

test('an idle tree saves up no more than 100 ms of its rate', () => {
  let duty = FRESH_DUTY;
  for (let tick = 0; tick < 100; tick += 1) duty = nextDuty(duty, 50, 0, 50);
  assert.deepEqual(duty, { creditMs: 50, isHeld: false });
});

test('looks come at 4 Hz, and at 20 Hz near the memory limit or under a CPU limit', () => {
  const limits = { memoryBytes: 100 * MIB, cpuPercent: null, processes: null };
  assert.equal(pauseAfter(70 * MIB, limits), 250);
  assert.equal(pauseAfter(71 * MIB, limits), 50);
  assert.equal(pauseAfter(0, { ...limits, cpuPercent: 50 }), 50);
});

test('a tree that grows is looked at before it can pass its memory limit by much, one that rests is not', () => {
  const limits = { memoryBytes: 512 * MIB, cpuPercent: null, processes: null };
  assert.equal(pauseAfter(300 * MIB, limits, 0), 250);
  assert.equal(pauseAfter(300 * MIB, limits, -MIB), 250);
  // 212 MiB are left at 1 MiB a ms: half of the time that they last.
  assert.equal(pauseAfter(300 * MIB, limits, MIB), 106);
  assert.equal(pauseAfter(500 * MIB, limits, MIB), 10);
  // Whenever the growth begins between two looks: 1 GiB/s passes the limit by no more than the shortest pause.
  for (let idleMs = 0; idleMs < 250; idleMs += 1) {
    let now = 0;
    let seen = 40 * MIB;
    const at = (ms: number): number => 40 * MIB + Math.max(0, ms - idleMs) * 1.024 * MIB;
    let growth = 0;
    while (seen <= 512 * MIB) {
      const pauseMs = pauseAfter(seen, limits, growth);
      now += pauseMs;
      growth = (at(now) - seen) / pauseMs;
      seen = at(now);
    }
    assert.ok(
      seen - 512 * MIB <= 11 * MIB,
      `${(seen - 512 * MIB) / MIB} MiB over, growing from ${idleMs} ms on`,
    );
  }
});
