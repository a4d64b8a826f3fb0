import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkKill, checkThere, type DrillFacts } from '../../../src/cli/kill/drill-checks.ts';

const refused = { code: 'KILL_SWITCH', reason: 'the kill switch instance:i is tripped' };
const halted = {
  id: 'i',
  workflow: 'kill-canary',
  had_process: true,
  found: 8,
  killed: 8,
  survivors: [],
  ms: 9,
};
const good: DrillFacts = {
  killed: { carried_out_by: 'supervisor', survivors: 0, instances: [halted], ms: 9 },
  left: 0,
  msUntilEmpty: 12,
  end: {
    status: 'killed',
    reason: 'kill_switch: instance:i',
    error: { code: 'KILL_SWITCH', message: 'm', step: null, hint: null },
  },
  resume: refused,
  restart: refused,
  permit: refused,
  starts: 1,
  bytesAtKill: 5,
  bytesLater: 0,
  isRearmed: true,
};
const failing = (facts: Partial<DrillFacts>): string[] =>
  checkKill({ ...good, ...facts }).flatMap(({ held, name, detail }) => (held ? [] : [`${name}: ${detail}`]));

test('a drill of which all was as it must be holds', () => {
  assert.deepEqual(failing({}), []);
  assert.equal(checkKill(good).length, 10);
});

test('each thing that did not hold fails the drill, and says what was seen', () => {
  const allowed = { code: null, reason: '' };
  const cases: [Partial<DrillFacts>, string][] = [
    [{ killed: { ...good.killed, carried_out_by: 'command' } }, 'carried out: by the command'],
    [
      { killed: { ...good.killed, survivors: 2 } },
      'reported empty: 8 found, 2 left after 9 ms, by the report',
    ],
    [
      { killed: { ...good.killed, instances: [{ ...halted, failure: 'EIO' }] } },
      'reported empty: 8 found, 0 left after 9 ms, by the report; EIO',
    ],
    [{ left: 1 }, 'seen empty: 1 processes left after 12 ms, by an own look'],
    [{ end: null }, 'run ended: it did not end in time'],
    [{ end: { status: 'completed', reason: null, error: null } }, 'run ended: completed: '],
    [{ resume: allowed }, 'resume refused: it was allowed'],
    [{ resume: { code: 'INTERNAL', reason: 'x' } }, 'resume refused: INTERNAL: x'],
    [{ restart: allowed }, 'start of its step refused: it was allowed'],
    [{ permit: allowed }, 'permit refused: it was allowed'],
    [{ starts: 2 }, 'nothing started: its process was started 2 times'],
    [{ bytesLater: 5 }, 'nothing written: 5 bytes after the kill, 5 before'],
    [{ bytesAtKill: 0 }, 'nothing written: 0 bytes after the kill, 0 before'],
    [{ isRearmed: false }, 're-armed: its switch is tripped still'],
  ];
  for (const [facts, expected] of cases) assert.deepEqual(failing(facts), [expected]);
});

test('an empty tree, or a canary that ended by itself, proves nothing', () => {
  assert.equal(checkThere(5, false).held, true);
  assert.equal(checkThere(4, false).held, false);
  assert.deepEqual(checkThere(0, true), {
    name: 'processes',
    held: false,
    detail: 'the canary ended before it was killed',
  });
});
