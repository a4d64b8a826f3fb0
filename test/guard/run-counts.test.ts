import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidePermit, type PermitFacts } from '../../src/guard/permits.ts';
import { countAllowed, countEvent, NOTHING_COUNTED, type RunCounts } from '../../src/guard/run-counts.ts';
import type { Permit, PermitRequest } from '../../src/protocol/instance-link.ts';
import { HOME, setOf, WORKSPACE } from '../setup/policies.ts';

const requestOf = (call: string): PermitRequest => ({
  kind: 'tool',
  path: 'a',
  attempt: 1,
  subject: 'helper',
  agentName: 'helper',
  tier: 'agent',
  agent: { iteration: 1, call, tool: 'thinking' },
});

const ended = (call: string, more: object = {}) => ({
  type: 'agent.tool_ended',
  path: 'a',
  call,
  bytes: 7,
  ...more,
});

test('a call that is asked for again, while it is open, counts once and is within what it was within', async () => {
  const set = await setOf({
    id: 'top',
    layer: 'user',
    default: 'deny',
    rules: [{ effect: 'allow', tool: 'thinking', rate: { per_run: 1 } }],
    limits: { tool_calls: 1 },
  });
  const ask = (call: string, counts: RunCounts): Permit =>
    decidePermit(requestOf(call), {}, {
      workflow: 'w',
      instance: 'i',
      workspace: WORKSPACE,
      home: HOME,
      policies: set,
      epoch: 1,
      counts,
      now: 1,
      heldBy: () => null,
      approvals: [],
      approvalMode: 'wait',
      gate: null,
      traffic: null,
    } satisfies PermitFacts).permit;
  const first = ask('c1-1', NOTHING_COUNTED);
  assert.equal(first.decision, 'allow');
  const allowed = {
    kind: 'tool',
    path: 'a',
    call: 'c1-1',
    tool: 'thinking',
    rated: first.rated ?? [],
    at: 1,
  } as const;
  const once = countAllowed(NOTHING_COUNTED, allowed);
  assert.equal(ask('c1-1', once).decision, 'allow', 'its hook waited for a person meanwhile');
  assert.deepEqual(countAllowed(once, allowed), once);
  assert.equal(ask('c1-2', once).decision, 'deny');
  // Over, it is another call, whatever its name is.
  assert.equal(ask('c1-1', countEvent(once, ended('c1-1'))).decision, 'deny');
});

test('what tools bring is counted, what hooks say is not', () => {
  const outputOf = (counts: RunCounts): unknown => counts.spent.outputBytes;
  assert.equal(outputOf(countEvent(NOTHING_COUNTED, ended('c1-1'))), 7);
  assert.equal(outputOf(countEvent(NOTHING_COUNTED, ended('a1-stop-1', { hook: 'stop' }))), 0);
});
