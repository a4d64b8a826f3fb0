import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PLAIN } from '../../src/cli/text/style.ts';
import { statusText } from '../../src/cli/text/summary.ts';
import { run } from './screens/data.ts';

const SCREEN = { style: PLAIN, width: 200, now: Date.parse('2026-01-01T00:00:00Z') };

function wayOn(code: string): string | undefined {
  const error = { code, message: 'no', step: 'turns[0]/write', hint: null };
  return statusText(run({ status: 'failed', error }), SCREEN)
    .split('\n')
    .find((line) => line.includes('go on'));
}

test('a step whose kill switch tripped by itself is to be re-armed before the run goes on', () => {
  const { id } = run({});
  for (const code of ['AGENT_LIMIT', 'AGENT_STUCK'])
    assert.equal(
      wayOn(code),
      `  go on from there: q workflow rearm 'step:${id}/turns[0]/write' --reason "…", then q workflow resume ${id} --from 'turns[0]/write'`,
    );
  assert.equal(wayOn('KILL_SWITCH'), `  go on once it is armed again: q workflow resume ${id}`);
  assert.equal(wayOn('EXIT_NONZERO'), `  go on from there: q workflow resume ${id}`);
});
