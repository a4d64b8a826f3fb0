import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killText } from '../../../src/cli/kill/kill-run.ts';
import { killStatusText } from '../../../src/cli/kill/kill-status.ts';
import { fileName } from '../../../src/guard/kill/latch-files.ts';

const tripped = {
  mode: 'kill',
  reason: 'wild',
  by: 'person eva',
  tripped_at: '2026-06-01T11:56:00Z',
} as const;
const REARM = 'q workflow rearm global --reason "…" --confirm "rearm global"';

test('the command that re-arms everything is told whole, with its phrase', () => {
  const text = killText({
    ...tripped,
    scope: 'global',
    is_new: true,
    carried_out_by: 'supervisor',
    instances: [],
    escalated: [],
    survivors: 0,
    ms: 0,
  });
  assert.equal(text.split('\n').at(-1), `Nothing of it starts until: ${REARM}`);
  const status = killStatusText({ latches: [{ ...tripped, scope: 'global' }], running: null });
  assert.equal(status.split('\n').at(-1), `A person re-arms one: ${REARM}`);
});

test('an empty file for everything is known by its name; of another one only the name is', () => {
  const text = (hash: string): string => killStatusText({ latches: [{ scope: null, hash }], running: null });
  assert.equal(
    text(fileName('global')),
    `global is tripped (its file says no more)\nA person re-arms one: ${REARM}`,
  );
  assert.equal(
    text('3fa9c2d10000000000'),
    '(unreadable: 3fa9c2d10000…) is tripped\nA person re-arms one: q workflow rearm SCOPE --reason "…"',
  );
});
