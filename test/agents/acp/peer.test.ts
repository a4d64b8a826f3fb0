import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RpcPeer } from '../../../src/agents/acp/peer.ts';
import type { Json } from '../../../src/definition/workflow.ts';

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function openPeer(work: (method: string) => Promise<Json | undefined> = async () => undefined) {
  const sent: Json[] = [];
  const done: string[] = [];
  const holds: boolean[] = [];
  const peer = new RpcPeer('fake', {
    send: (line) => void sent.push(JSON.parse(line) as Json),
    mask: (text) => text.replaceAll('secret', '***'),
    hold: (isHeld) => void holds.push(isHeld),
    notified: async (method) => {
      await work(method);
      done.push(method);
    },
    asked: (method) => work(method),
  });
  const receive = (message: object): void => peer.receive(JSON.stringify({ jsonrpc: '2.0', ...message }));
  return { peer, sent, done, holds, receive };
}

test('an answer is taken when all that came before it is dealt with', async () => {
  const gate = Promise.withResolvers<undefined>();
  const { peer, receive, done } = openPeer((method) =>
    method === 'slow' ? gate.promise : Promise.resolve(1),
  );
  const answer = peer.request('session/prompt', {}, null);
  let isAnswered = false;
  void answer.then(() => {
    isAnswered = true;
  });
  receive({ method: 'slow' });
  receive({ method: 'quick' });
  receive({ id: 1, result: { stopReason: 'end_turn' } });
  await settled();
  assert.deepEqual([isAnswered, done], [false, []]);
  gate.resolve(undefined);
  assert.deepEqual(await answer, { stopReason: 'end_turn' });
  assert.deepEqual(done, ['slow', 'quick']);
});

test('what is asked is answered by its id, and an unknown method with the code for that', async () => {
  const { sent, receive } = openPeer(async (method) => (method === 'known' ? { a: 1 } : undefined));
  receive({ id: 'x', method: 'known' });
  receive({ id: 7, method: 'unknown' });
  await settled();
  assert.deepEqual(sent, [
    { jsonrpc: '2.0', id: 'x', result: { a: 1 } },
    { jsonrpc: '2.0', id: 7, error: { code: -32601, message: 'unknown is not offered' } },
  ]);
});

const faults: readonly (readonly [name: string, line: string, says: RegExp])[] = [
  ['no JSON', 'hello secret', /^fake: it sent a line that is no JSON: "hello \*\*\*"$/],
  [
    'much that is no JSON',
    `${'x'.repeat(196)}secret`,
    /^fake: it sent a line that is no JSON: "x{196}\*\*\*$/,
  ],
  [
    'a number that is none here',
    '{"method":"x","params":{"n":1e999}}',
    /^fake: it sent a line that is nested deeper than 200, or has a number that is too large$/,
  ],
  [
    'what is nested too deep',
    `{"method":"x","params":${'['.repeat(50_000)}${']'.repeat(50_000)}}`,
    /^fake: it sent a line that is nested deeper than 200, or has a number that is too large$/,
  ],
  ['no object', '[1]', /^fake: it sent a line that is no JSON object$/],
  ['an answer to nothing', '{"id":5,"result":1}', /^fake: it answered 5, which nobody asked/],
  ['an answer without an id', '{"result":1}', /^fake: it answered null, which nobody asked/],
  ['an answer without a result', '{"id":1}', /^fake: its answer to session\/prompt has no result$/],
  ['an id that is none', '{"id":{},"method":"x"}', /^fake: the id of a request is none$/],
];
for (const [name, line, says] of faults)
  test(`${name} ends the connection: all that is open fails, and nothing more is sent or done`, async () => {
    const { peer, sent, done } = openPeer();
    const answer = peer.request('session/prompt', {}, null);
    peer.receive(line);
    peer.receive('{"method":"late"}');
    await assert.rejects(answer, (error: Error & { code?: string }) => {
      assert.match(error.message, says);
      return error.code === 'AGENT_FAILED';
    });
    await settled();
    peer.notify('session/cancel', {});
    await assert.rejects(peer.request('again', {}, null), { message: says });
    assert.throws(() => peer.assertSound(), { message: says });
    assert.deepEqual([sent.length, done], [1, []]);
  });

test('the same answer again is one to nothing: what was answered well is no longer sound', async () => {
  const { peer, receive } = openPeer();
  const answer = peer.request('session/prompt', {}, null);
  receive({ id: 1, result: 1 });
  receive({ id: 1, result: 2 });
  assert.equal(await answer, 1);
  await settled();
  assert.throws(() => peer.assertSound(), /it answered 1, which nobody asked or it answered before$/);
});

test('what a handler throws is the reason, and a request that waits too long is one', async () => {
  const { peer, receive } = openPeer(async () => {
    throw new RangeError('enough');
  });
  const answer = peer.request('x', {}, null);
  receive({ method: 'y' });
  await assert.rejects(answer, RangeError);
  const { peer: slow } = openPeer();
  await assert.rejects(slow.request('x', {}, 5), {
    code: 'AGENT_FAILED',
    message: 'fake did not answer x in 0.005 s',
  });
});

test('an error is the answer, and no more than its request fails', async () => {
  const { peer, receive } = openPeer();
  const answer = peer.request('session/new', {}, null);
  receive({ id: 1, error: { code: -32000, message: 'Authentication required', data: { x: 1 } } });
  await assert.rejects(
    answer,
    /fake answered session\/new with an error: "Authentication required" \{"x":1\}/,
  );
  const next = peer.request('other', {}, null);
  receive({ id: 2, result: null });
  assert.equal(await next, null);
});

test('reading stops while more lines wait than are dealt with, and goes on after', async () => {
  const gate = Promise.withResolvers<undefined>();
  const { holds, receive, done } = openPeer(() => gate.promise);
  for (let n = 0; n < 300; n += 1) receive({ method: 'x' });
  assert.deepEqual(holds, [true]);
  gate.resolve(undefined);
  await settled();
  await settled();
  assert.deepEqual([holds, done.length], [[true, false], 300]);
});
