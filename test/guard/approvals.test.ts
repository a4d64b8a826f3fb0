import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ApprovalQuestion, answerApproval, mayDecide } from '../../src/guard/approvals.ts';
import type { PermitRequest } from '../../src/protocol/instance-link.ts';
import type { ApprovalRow } from '../../src/store/tables/approval-rows.ts';

const REQUEST: PermitRequest = {
  kind: 'tool',
  path: 'a',
  attempt: 1,
  subject: 'helper',
  agentName: 'helper',
  tier: 'agent',
  agent: { iteration: 1, call: 'c1-1', tool: 'execute_bash' },
};
const QUESTION: ApprovalQuestion = {
  request: REQUEST,
  args: { command: 'git push' },
  argsHash: 'h1',
  rules: ['ask-push'],
  reason: 'pushes are looked at',
  approvals: [{ timeout_s: 60 }],
  network: [],
};
const NOW = 1_000_000;

function asked(question = QUESTION, rows: readonly ApprovalRow[] = []): ApprovalRow {
  const answer = answerApproval(question, rows, 'wait', NOW);
  assert.equal(answer.kind, 'ask');
  return {
    ...(answer.kind === 'ask' ? answer.approval : assert.fail()),
    instance: 'i',
    status: 'pending',
    decidedAt: null,
    decidedBy: null,
    reason: null,
    answeredAt: null,
    voidAt: null,
  };
}
const decided = (status: ApprovalRow['status'], more: Partial<ApprovalRow> = {}): ApprovalRow => ({
  ...asked(),
  status,
  decidedAt: NOW,
  decidedBy: 'person ann',
  ...more,
});
const kindOf = (rows: readonly ApprovalRow[], question = QUESTION, now = NOW): string =>
  answerApproval(question, rows, 'wait', now).kind;

test('the first time it is asked, with the exact arguments, the rule and the time of the rule', () => {
  const { number, argsHash, expiresAt, request } = asked();
  assert.deepEqual([number, argsHash, expiresAt], [1, 'h1', NOW + 60_000]);
  assert.deepEqual(request, {
    kind: 'tool',
    path: 'a',
    attempt: 1,
    call: 'c1-1',
    what: 'execute_bash',
    agent: 'helper',
    args: { command: 'git push' },
    rules: ['ask-push'],
    reason: 'pushes are looked at',
    by: [],
  });
  assert.equal(asked({ ...QUESTION, approvals: [] }).expiresAt, NOW + 900_000);
});

test('a decision counts for exactly what was asked', () => {
  const approved = decided('approved');
  assert.equal(kindOf([approved]), 'approved');
  const others: ApprovalQuestion[] = [
    { ...QUESTION, argsHash: 'h2' },
    { ...QUESTION, request: { ...REQUEST, attempt: 2 } },
    { ...QUESTION, request: { ...REQUEST, path: 'b' } },
    { ...QUESTION, request: { ...REQUEST, kind: 'spawn' } },
    { ...QUESTION, request: { ...REQUEST, subject: '@files' } },
    { ...QUESTION, request: { ...REQUEST, agent: { iteration: 1, call: 'c1-2', tool: 'execute_bash' } } },
  ];
  for (const other of others) assert.equal(kindOf([approved], other), 'ask', JSON.stringify(other));
  assert.equal(asked(others[0], [approved]).number, 2);
});

test('what was decided before a run was opened again counts no more', () => {
  assert.equal(kindOf([decided('approved', { voidAt: NOW })]), 'ask');
  assert.equal(kindOf([decided('denied', { voidAt: NOW })]), 'ask');
});

test('who waits waits until its time is over, which is a denial', () => {
  const row = asked();
  const waiting = answerApproval(QUESTION, [row], 'wait', NOW + 59_999);
  assert.deepEqual(waiting, { kind: 'wait', number: 1, until: NOW + 60_000 });
  const late = answerApproval(QUESTION, [row], 'wait', NOW + 60_000);
  assert.equal(late.kind, 'expired');
  assert.equal(late.kind === 'expired' && late.reason, 'nobody approved it within 60 s');
  assert.equal(kindOf([decided('expired')]), 'refused');
});

test('a denial says who and why', () => {
  const answer = answerApproval(QUESTION, [decided('denied', { reason: 'not today' })], 'wait', NOW);
  assert.equal(answer.kind === 'refused' && answer.reason, 'person ann denied it: not today');
});

test('without an approver it is refused; a rule or a step that names one waits; deny refuses all', () => {
  const refusal = answerApproval(QUESTION, [], 'named', NOW);
  assert.equal(
    refusal.kind === 'refused' && refusal.reason,
    "pushes are looked at; it needs a person's approval, and nobody can be asked",
  );
  const named = { ...QUESTION, approvals: [{ by: ['operator'] }] };
  const gate: ApprovalQuestion = { ...QUESTION, request: { ...REQUEST, kind: 'approval' }, approvals: [{}] };
  for (const question of [named, gate]) {
    assert.equal(answerApproval(question, [], 'named', NOW).kind, 'ask');
    assert.equal(answerApproval(question, [], 'deny', NOW).kind, 'refused');
  }
});

test('each rule that asks has to let the person decide', () => {
  assert.ok(mayDecide([], 'ann'));
  assert.ok(mayDecide([['operator']], 'ann'));
  assert.ok(mayDecide([['ann', 'bob'], ['operator']], 'ann'));
  assert.ok(!mayDecide([['ann'], ['bob']], 'ann'));
  assert.ok(!mayDecide([['bob']], 'ann'));
});
