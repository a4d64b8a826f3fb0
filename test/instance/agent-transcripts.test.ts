import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditOfEvent } from '../../src/audit/record.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import { openTranscripts } from '../../src/instance/agent-transcripts.ts';

const EVENTS: readonly RunEvent[] = [
  {
    type: 'agent.requested',
    path: 'a',
    attempt: 1,
    iteration: 1,
    model: { name: 'm', id: 'x' },
    estimate: { in: 9, out: 0 },
  },
  {
    type: 'agent.answered',
    path: 'a',
    iteration: 1,
    message: { text: 'look', calls: [{ call: 'c1-1', name: 'exec', args: { argv: ['ls'] } }] },
    usage: { in: 5, out: 1, cached: 0, estimated: false },
    finish: 'tool-calls',
  },
  { type: 'agent.tool_called', path: 'a', iteration: 1, call: 'c1-1', tool: 'exec', args: { argv: ['ls'] } },
];
const journal = EVENTS.map((event, index) => ({ seq: index + 1, at: 1000 + index, event }));
const resumed = (more: object): RunEvent => ({ type: 'run.resumed', cause: 'crash', from: null, ...more });

test('a call that was open is interrupted once, and the conversation goes on with it', async () => {
  const transcripts = openTranscripts({ journal, folder: '/nowhere', approvals: [], lastProcess: null });
  const ended = transcripts.recover([resumed({})]);
  assert.deepEqual(
    ended.map((event) => (event.type === 'agent.tool_ended' ? [event.path, event.call, event.outcome] : [])),
    [['a', 'c1-1', 'interrupted']],
  );
  const transcript = await transcripts.begin('a');
  assert.deepEqual(
    [transcript.iterations, transcript.toolCalls, transcript.last?.calls[0]?.outcome],
    [1, 1, 'interrupted'],
  );
  const again = openTranscripts({
    approvals: [],
    lastProcess: null,
    journal: [...journal, ...ended.map((event, index) => ({ seq: 4 + index, at: 2000, event }))],
    folder: '/nowhere',
  });
  assert.deepEqual(again.recover([resumed({})]), []);
});

test('a step that a person had forgotten begins anew; one of another path is not touched', async () => {
  const forgotten = openTranscripts({ journal, folder: '/nowhere', approvals: [], lastProcess: null });
  forgotten.recover([resumed({ cause: 'requested', from: 'a', forgotten: ['a'] })]);
  const transcript = await forgotten.begin('a');
  assert.deepEqual([transcript.iterations, transcript.turns], [0, []]);
  assert.equal((await forgotten.begin('b')).iterations, 0);
});

test('an attempt that follows in the same process has a new conversation and the old counts', async () => {
  const transcripts = openTranscripts({ journal: [], folder: '/nowhere', approvals: [], lastProcess: null });
  const transcript = await transcripts.begin('a');
  for (const { event, at } of journal) if (event.type !== 'run.resumed') transcript.apply(event as never, at);
  const next = await transcripts.begin('a');
  assert.deepEqual([next.iterations, next.toolCalls, next.turns], [1, 1, []]);
});

test('the audit tells what was called and how it ended in clear, texts and arguments by hash', () => {
  const [, answered, called] = EVENTS.map(auditOfEvent);
  assert.deepEqual(
    [called?.data['tool'], called?.data['call'], Object.keys(called?.data['args'] as object)],
    ['exec', 'c1-1', ['sha256', 'bytes']],
  );
  assert.deepEqual(Object.keys(answered?.data['message'] as object), ['sha256', 'bytes']);
  assert.ok(!JSON.stringify([answered, called]).includes('argv'));
});
