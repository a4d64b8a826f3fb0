import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type AgentCall, CallBook, type Next } from '../../../src/agents/acp/call-book.ts';
import type { CallStatus, CallUpdate } from '../../../src/agents/acp/messages.ts';

const book = (marksBeforeAsking = false): CallBook => new CallBook({ workspace: '/ws', marksBeforeAsking });
const EXECUTE = { id: 't', kind: 'execute', rawInput: { command: 'ls' } };
const READ = { id: 't', kind: 'read', rawInput: { path: 'a' } };

function tell(calls: CallBook, update: CallUpdate): readonly [call: AgentCall, next: Next] {
  const call = calls.note(update);
  return [call, calls.next(call, update.status)];
}

/** Decides about all that is undecided, as a supervisor would. */
function decideAll(calls: CallBook, call: AgentCall, refusal: string | null): void {
  for (const judged of calls.undecided(call)) calls.decide(call, judged, refusal);
}

test('a call that waits is nothing to act on', () => {
  const calls = book();
  assert.deepEqual(tell(calls, { ...EXECUTE, status: 'pending' })[1], { type: 'nothing' });
  assert.deepEqual(tell(calls, { id: 't', title: 'x' })[1], { type: 'nothing' });
});

for (const status of ['in_progress', 'completed'] as const)
  test(`a command that is ${status} unasked is a violation`, () => {
    assert.deepEqual(tell(book(), { ...EXECUTE, status })[1], {
      type: 'violation',
      reason: 'it ran without asking for permission',
    });
  });

test('a call of no kind has to ask, and a kind told later does not take that back', () => {
  const calls = book();
  assert.equal(tell(calls, { id: 'x', title: 'magic', status: 'in_progress' })[1].type, 'violation');
  tell(calls, { ...EXECUTE, status: 'pending' });
  assert.equal(tell(calls, { id: 't', kind: 'think', status: 'in_progress' })[1].type, 'violation');
});

test('a call that is refused under the id of one that ended may not have run', () => {
  const calls = book();
  const [call] = tell(calls, EXECUTE);
  decideAll(calls, call, null);
  call.isGranted = true;
  assert.deepEqual(tell(calls, { id: 't', status: 'completed' })[1], { type: 'ended', outcome: 'ok' });
  call.hasEnded = true;
  assert.deepEqual(tell(calls, { id: 't', status: 'completed' })[1], { type: 'nothing' }, 'told twice');
  call.secondRefusal = 'it asks for what has ended';
  assert.deepEqual(tell(calls, { id: 't', status: 'failed' })[1], { type: 'nothing' });
  assert.deepEqual(tell(calls, { id: 't', status: 'completed' })[1], {
    type: 'violation',
    reason: 'it ran although it was denied: it asks for what has ended',
  });
});

test('an edit that asks as a thought is decided as the edit that it was told to be', () => {
  const calls = book();
  tell(calls, { id: 't', kind: 'edit', rawInput: { path: '.env' }, status: 'pending' });
  for (const kind of ['think', 'read'])
    assert.deepEqual(
      calls.undecided(calls.note({ id: 't', kind })).map(({ tool }) => tool),
      ['fs_write'],
      kind,
    );
  assert.deepEqual(
    calls.undecided(calls.note({ id: 't', kind: 'fetch', rawInput: { url: 'https://x.test' } })),
    [{ tool: 'http_fetch', args: { url: 'https://x.test' } }],
    'of those that have to ask the last one counts',
  );
});

test('a read is judged when it runs, once', () => {
  const calls = book();
  const [call, next] = tell(calls, { ...READ, status: 'in_progress' });
  assert.deepEqual(next, { type: 'judge', calls: [{ tool: 'fs_read', args: { path: '/ws/a' } }] });
  decideAll(calls, call, null);
  assert.deepEqual(tell(calls, { id: 't', status: 'in_progress' })[1], { type: 'nothing' });
  assert.deepEqual(tell(calls, { id: 't', status: 'completed' })[1], { type: 'ended', outcome: 'ok' });
});

test('a read that is denied and ran is a violation', () => {
  const calls = book();
  const [call] = tell(calls, { ...READ, status: 'completed' });
  decideAll(calls, call, 'no');
  assert.deepEqual(calls.next(call, 'completed'), {
    type: 'violation',
    reason: 'it ran although it was denied: no',
  });
});

test('a permission holds for the arguments that were judged: others are judged anew', () => {
  const calls = book();
  const [call] = tell(calls, EXECUTE);
  decideAll(calls, call, null);
  call.isGranted = true;
  assert.deepEqual(calls.next(call, 'in_progress'), { type: 'nothing' });
  const [, next] = tell(calls, { id: 't', rawInput: { command: 'rm x' }, status: 'in_progress' });
  assert.deepEqual(next, { type: 'judge', calls: [{ tool: 'execute_bash', args: { command: 'rm x' } }] });
});

test('a call that was refused may fail, and one that ended may not run again', () => {
  const calls = book();
  const [call] = tell(calls, EXECUTE);
  decideAll(calls, call, 'no');
  assert.deepEqual(calls.next(call, 'failed'), { type: 'ended', outcome: 'error' });
  call.hasEnded = true;
  assert.deepEqual(calls.next(call, 'completed'), { type: 'nothing' });
  assert.equal(calls.next(call, 'in_progress').type, 'violation');
});

test('an agent that marks before it asks may run, but not have run', () => {
  const calls = book(true);
  assert.deepEqual(tell(calls, { ...EXECUTE, status: 'in_progress' })[1], { type: 'nothing' });
  assert.equal(tell(calls, { id: 't', status: 'completed' })[1].type, 'violation');
});

test('whatever is told in whatever order: a call ends well only if all that it did was allowed', () => {
  const kinds = fc.constantFrom('execute', 'edit', 'read', 'search', 'think', 'other', undefined);
  const statuses = fc.constantFrom<(CallStatus | undefined)[]>(
    'pending',
    'in_progress',
    'completed',
    undefined,
  );
  const steps = fc.array(
    fc.record({ kind: kinds, status: statuses, path: fc.constantFrom('a', 'b'), asks: fc.boolean() }),
    { maxLength: 8 },
  );
  fc.assert(
    fc.property(steps, fc.constantFrom('a', 'b', 'neither'), (told, denied) => {
      const calls = book();
      for (const { kind, status, path, asks } of told) {
        const rawInput = { path, command: `cat ${path}` };
        const update: CallUpdate = {
          id: 't',
          rawInput: kind === 'execute' ? rawInput : { path },
          ...(kind === undefined ? {} : { kind }),
          ...(status === undefined ? {} : { status }),
        };
        const call = calls.note(update);
        const judge = (): void => {
          for (const judged of calls.undecided(call))
            calls.decide(call, judged, JSON.stringify(judged.args).includes(denied) ? 'no' : null);
        };
        if (asks) {
          judge();
          if (call.denial === null) call.isGranted = true;
        }
        let next = calls.next(call, status);
        if (next.type === 'judge') {
          judge();
          next = calls.next(call, status);
          assert.notEqual(next.type, 'judge');
        }
        if (next.type === 'violation') return;
        if (next.type !== 'ended') continue;
        assert.equal(call.denial, null);
        assert.deepEqual(calls.undecided(call), []);
        assert.ok(call.isGranted || ['read', 'search', 'think'].includes(call.facts.kind ?? ''));
        return;
      }
    }),
  );
});
