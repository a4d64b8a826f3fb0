import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readMessage } from '../../../src/supervisor/intake/message-check.ts';

const entry = (event: object, more: object = {}) => ({
  type: 'events',
  entries: [{ seq: 1, at: 1_800_000_000_000, event, ...more }],
});
const usage = { in: 10, out: 2, cached: 0, estimated: false };
const answered = {
  type: 'agent.answered',
  path: 'a',
  iteration: 1,
  message: { text: '' },
  usage,
  finish: 'stop',
};
const waiting = { type: 'run.waiting', until: 5 };
const request = {
  kind: 'tool',
  path: 'a',
  attempt: 1,
  subject: 'helper',
  agentName: 'helper',
  tier: 'agent',
  agent: { iteration: 1, call: 'c1-1', tool: 'exec' },
};
const decided = { type: 'decided', connection: 1, outcome: 'allowed' };
const report = { path: 'a', attempt: 1, tool: 'exec', event: decided };

const wrongIn = (message: unknown): string | null => {
  // As it comes over the wire: JSON has numbers that are read as infinite.
  const read = readMessage(JSON.parse(JSON.stringify(message).replaceAll('"1e999"', '1e999')));
  return 'wrong' in read ? read.wrong : null;
};

test('what a process of ours sends is taken as it is', () => {
  for (const message of [
    { type: 'hello', instance: 'i', incarnation: 1, token: 't', pid: 7, ackedSeq: 0, beatMs: 5000 },
    { type: 'beat' },
    { type: 'events', entries: [] },
    entry(answered),
    entry(waiting),
    entry({ type: 'limit.hit', path: null, limit: 'cpu', allowed: 100, peak: 99.5, heldBackSeconds: 0.2 }),
    { type: 'permit', id: 1, afterSeq: 3, request },
    { type: 'network', id: 1, report },
    { type: 'progress', path: 'a', line: 'half' },
    { type: 'switched_off', scope: 'tool:exec' },
    { type: 'io', bytes: { readBytes: 0, writtenBytes: 4096 } },
  ])
    assert.deepEqual(readMessage(message), message);
});

test('what would bring us down, hide the log of others or count below zero is told by its field', () => {
  const told: readonly (readonly [unknown, string])[] = [
    [null, 'a message that is none'],
    [{ type: 'toString' }, 'a message that is none'],
    [{ type: 'events' }, 'a message "events" with a wrong entries'],
    [{ type: 'events', entries: [null] }, 'an entry of the journal with a wrong form'],
    [entry(waiting, { at: -1e17 }), 'an entry of the journal with a wrong at'],
    [entry(waiting, { at: '1e999' }), 'an entry of the journal with a wrong at'],
    [entry(waiting, { seq: 1.5 }), 'an entry of the journal with a wrong seq'],
    [entry({ type: 'constructor' }), 'an event that is none, "constructor"'],
    [entry({ ...waiting, until: 'soon' }), 'an event run.waiting with a wrong until'],
    [
      entry({ type: 'run.ended', status: 'running', reason: '', error: null }),
      'an event run.ended with a wrong status',
    ],
    [entry({ ...answered, usage: { ...usage, in: -1 } }), 'an event agent.answered with a wrong usage'],
    [entry({ ...answered, usage: { ...usage, out: '1e999' } }), 'an event agent.answered with a wrong usage'],
    [
      entry({ ...answered, usage: { in: '9', out: 1, cached: 0 } }),
      'an event agent.answered with a wrong usage',
    ],
    [entry({ ...answered, usage: null }), 'an event agent.answered with a wrong usage'],
    [
      entry({
        type: 'agent.tool_ended',
        path: 'a',
        call: 'c',
        outcome: 'ok',
        result: '',
        bytes: -5,
        hash: '',
      }),
      'an event agent.tool_ended with a wrong bytes',
    ],
    [{ type: 'permit', id: 1, afterSeq: 0 }, 'a message "permit" with a wrong request'],
    [
      { type: 'permit', id: 1, afterSeq: 0, request: { ...request, path: {} } },
      'a message "permit" with a wrong request',
    ],
    [{ type: 'network', id: 1, report: null }, 'a message "network" with a wrong report'],
    [
      { type: 'network', id: 1, report: { ...report, event: null } },
      'a message "network" with a wrong report',
    ],
    [{ type: 'io', bytes: { readBytes: 'abc', writtenBytes: 0 } }, 'a message "io" with a wrong bytes'],
    [{ type: 'io', bytes: { readBytes: 0, writtenBytes: '1e999' } }, 'a message "io" with a wrong bytes'],
    [{ type: 'progress', path: 'a', line: {} }, 'a message "progress" with a wrong line'],
  ];
  assert.deepEqual(
    told.map(([message]) => wrongIn(message)),
    told.map(([, wrong]) => wrong),
  );
});
