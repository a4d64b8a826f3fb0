import assert from 'node:assert/strict';
import { test } from 'node:test';
import { decidePermit, type PermitFacts } from '../../src/guard/permits.ts';
import {
  countAllowed,
  countEvent,
  countJournal,
  NOTHING_COUNTED,
  type RunCounts,
  rateCheck,
} from '../../src/guard/run-counts.ts';
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

test('a journal counts what its records, which are pruned, would: each try, each call that was run, and bytes', () => {
  const usage = { in: 10, out: 5 };
  const called = (call: string, more: object = {}) => ({
    type: 'agent.tool_called',
    path: 'a',
    call,
    tool: 'thinking',
    ...more,
  });
  const events = [
    { type: 'agent.requested', path: 'a', iteration: 1 },
    { type: 'agent.request_failed', path: 'a', iteration: 1, usage, retryInMs: 100 },
    { type: 'agent.answered', path: 'a', iteration: 1, usage },
    called('c1'),
    called('c2'),
    called('h1', { tool: 'hook:stop', hook: {} }),
    ended('c1', { outcome: 'ok' }),
    ended('c2', { outcome: 'denied' }),
  ];
  const { spent, open, rules } = countJournal(
    NOTHING_COUNTED,
    events.map((event) => ({ at: 1000, event })),
  );
  assert.deepEqual(
    [spent.iterations, spent.toolCalls, spent.tokens, spent.outputBytes, open.size],
    [2, 1, 30, 14, 0],
  );
  const counts: RunCounts = { ...NOTHING_COUNTED, rules };
  assert.equal(rateCheck(counts, 2000, new Set())('any/rule#1', { per_run: 1 }), 'beyond');
  assert.equal(rateCheck(counts, 2000, new Set())('any/rule#1', { per_minute: 2 }), 'within');
  assert.equal(rateCheck(counts, 62_000, new Set())('any/rule#1', { per_minute: 1 }), 'within');
});

test('a request that is asked for again before it has its answer counts once; another try of it counts', () => {
  const usage = { in: 10, out: 5 };
  const request = { kind: 'model', path: 'a', iteration: 1 } as const;
  const of = (type: string, more: object = {}) => ({ type, path: 'a', iteration: 1, ...more });
  const iterations = ({ spent }: RunCounts): number => spent.iterations;
  const asked = countAllowed(countEvent(NOTHING_COUNTED, of('agent.requested')), request);
  const again = countAllowed(asked, request);
  assert.deepEqual([iterations(asked), iterations(again)], [1, 1]);
  const failed = countEvent(again, of('agent.request_failed', { usage }));
  assert.equal(iterations(countAllowed(failed, request)), 2);
  assert.equal(iterations(countAllowed(asked, { ...request, path: 'b' })), 2);
});

test('another intent under the name of an open call is another call', () => {
  const call = { kind: 'tool', path: 'a', call: 'c1', tool: 'thinking', rated: [], at: 1 } as const;
  const intent = { type: 'agent.tool_called', path: 'a', call: 'c1' };
  const first = countAllowed(countEvent(NOTHING_COUNTED, intent), call);
  assert.equal(countAllowed(first, call).spent.toolCalls, 1);
  assert.equal(countAllowed(countEvent(first, intent), call).spent.toolCalls, 2);
});
