import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JournalEntry, RunEvent } from '../../../src/engine/events.ts';
import { openPermitDesk, type PermitMessage } from '../../../src/supervisor/intake/permit-desk.ts';
import { createLiveInstance } from '../../../src/supervisor/lifecycle/live-instance.ts';
import { fakeContext, runningRow } from '../fake-context.ts';

/** A run whose step `a` asks a person; its desk, and the entries and questions that reach it, in this order. */
function openDesk() {
  const gate = { id: 'a', type: 'approval', by: [], timeoutMs: null, undo: null };
  const workflow = {
    name: 'w',
    steps: [gate],
    handlers: [],
    errorHandling: { default: { handler: null }, perStep: {}, rollback: { steps: [] } },
  };
  const clock = { now: 1 };
  const journal = { entries: [] as readonly JournalEntry[], reads: 0 };
  const { context: still } = fakeContext({
    'audit.read': () => ({ rows: [], next: null }),
    'journal.read': () => {
      journal.reads += 1;
      return { entries: journal.entries, next: null };
    },
    'document.get': () => JSON.stringify({ workflow, tiers: {} }),
  });
  const context = { ...still, now: () => clock.now };
  const live = createLiveInstance(runningRow('i'), [], []);
  const told: unknown[] = [];
  live.watchers.add((notification) => told.push(notification));
  const desk = openPermitDesk(context, live);
  let seq = 0;
  const entry = (event: RunEvent): JournalEntry => ({ seq: ++seq, at: 1, event });
  const begun = (attempt: number): JournalEntry =>
    entry({ type: 'step.started', path: 'a', stepType: 'approval', attempt, inputs: {} });
  const ask = (attempt: number): PermitMessage => ({
    type: 'permit',
    id: attempt,
    afterSeq: seq,
    request: { kind: 'approval', path: 'a', attempt, subject: 'a', agentName: null, tier: 'skill' },
  });
  const judge = async (batch: readonly JournalEntry[], asked: readonly PermitMessage[]) => {
    const { answers, audits, committed } = await desk.judge(batch, asked);
    committed();
    return {
      decisions: answers.map(({ permit }) => permit.decision),
      approvals: live.approvals.map(({ number, status, request }) => [number, request.attempt, status]),
      audits: audits.flatMap(({ type, data }) =>
        type === 'approval.withdrawn' ? [[data['approval'], data['path']]] : [],
      ),
      told: told.splice(0).length,
    };
  };
  return { entry, begun, ask, judge, live, clock, journal };
}

const CANCELLED: RunEvent = { type: 'step.cancelled', path: 'a', reason: 'branch_lost' };
const COMPLETED: RunEvent = { type: 'step.completed', path: 'a', attempt: 1, result: {}, writes: {} };

test('what is asked and overtaken in one batch is withdrawn, and nobody is told of it', async () => {
  const { entry, begun, ask, judge } = openDesk();
  const first = begun(1);
  const asked = ask(1);
  assert.deepEqual(await judge([first, entry(CANCELLED)], [asked]), {
    decisions: ['wait'],
    approvals: [[1, 1, 'withdrawn']],
    audits: [[1, 'a']],
    told: 0,
  });
});

test('what is asked after the end of an earlier attempt stays', async () => {
  const { entry, begun, ask, judge } = openDesk();
  const first = begun(1);
  const asked = ask(1);
  const cancelled = entry(CANCELLED);
  const second = begun(2);
  assert.deepEqual(await judge([first, cancelled, second], [asked, ask(2)]), {
    decisions: ['wait', 'wait'],
    approvals: [
      [1, 1, 'withdrawn'],
      [2, 2, 'pending'],
    ],
    audits: [[1, 'a']],
    told: 1,
  });
});

test('what was asked before is withdrawn once, however often its end is told', async () => {
  const { entry, begun, ask, judge } = openDesk();
  const first = begun(1);
  assert.deepEqual((await judge([first], [ask(1)])).approvals, [[1, 1, 'pending']]);
  const { approvals, audits } = await judge([entry(COMPLETED), entry(CANCELLED)], []);
  assert.deepEqual([approvals, audits], [[[1, 1, 'withdrawn']], [[1, 'a']]]);
});

test('a question whose time is over while its decision is being committed waits for that', async () => {
  const { begun, ask, judge, live, clock } = openDesk();
  const first = begun(1);
  await judge([first], [ask(1)]);
  clock.now = live.approvals[0]?.expiresAt ?? assert.fail();
  live.beingDecided.add(1);
  assert.deepEqual((await judge([], [ask(1)])).decisions, ['wait']);
  live.beingDecided.delete(1);
  assert.deepEqual((await judge([], [ask(1)])).approvals, [[1, 1, 'expired']]);
});

test('what is asked again after a crash is looked up in one reading of the journal', async () => {
  const { begun, ask, judge, journal } = openDesk();
  await judge([begun(1)], [ask(1)]);
  journal.reads = 0;
  journal.entries = [begun(2), begun(3)];
  assert.deepEqual((await judge([], [ask(2), ask(3)])).decisions, ['wait', 'wait']);
  assert.equal(journal.reads, 1);
});
