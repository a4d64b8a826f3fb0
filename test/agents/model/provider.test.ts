import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ModelFault, type ModelRequest } from '../../../src/agents/model/model.ts';
import type { ModelKeys, ModelSpec } from '../../../src/agents/model/model-spec.ts';
import { openModel } from '../../../src/agents/model/provider.ts';
import { type Answer, collectAnswer } from '../../../src/agents/native/turn.ts';
import type { MockTurn } from '../../provider/scenario.ts';
import { type MockProvider, startMockProvider } from '../../provider/server.ts';

const REQUEST: ModelRequest = {
  system: 'You are a test.',
  messages: [
    { role: 'user', text: 'hi' },
    { role: 'assistant', text: '', calls: [{ id: 'c1-1', name: 'fs_read', args: { path: 'a' } }] },
    { role: 'tool', results: [{ id: 'c1-1', name: 'fs_read', text: 'no such file', isError: true }] },
  ],
  tools: [
    {
      name: 'fs_read',
      description: 'reads',
      inputSchema: { type: 'object', properties: { path: { type: 'string' } } },
    },
  ],
  maxOutputTokens: 100,
};
const TWO_CALLS = [
  { name: 'fs_read', args: { path: 'é.txt' } },
  { name: 'search', args: { pattern: 'a\\"b' } },
];
const READ_TWO = [
  { call: 'c1-1', name: 'fs_read', args: { path: 'é.txt' } },
  { call: 'c1-2', name: 'search', args: { pattern: 'a\\"b' } },
];

let provider: MockProvider;
before(async () => {
  provider = await startMockProvider({ turns: [] });
});
after(() => provider.close());

const WIRES: readonly [ModelSpec['provider'], base: string, ModelKeys][] = [
  ['openai-compatible', '/v1', { api_key: 'key-1' }],
  ['anthropic', '/v1', { api_key: 'key-1' }],
  ['bedrock', '', { access_key_id: 'id-1', secret_access_key: 'key-1' }],
];

for (const [name, base, keys] of WIRES) {
  const ask = async (turn: MockTurn, seed = 1, signal = new AbortController().signal): Promise<Answer> => {
    provider.play({ seed, turns: [turn] });
    const isSilent = turn.fault?.kind.startsWith('hang') ?? false;
    const spec: ModelSpec = {
      name: 'm',
      provider: name,
      baseUrl: `${provider.url}${base}`,
      id: 'mock-model',
      region: 'us-east-1',
      maxOutputTokens: null,
      price: null,
      idleTimeoutMs: isSilent ? 300 : 20_000,
      keys: {},
    };
    const model = await openModel(spec, keys);
    return collectAnswer(model.stream(REQUEST, signal), 1);
  };
  const faultOf = async (turn: MockTurn): Promise<ModelFault> => {
    const fault = await ask(turn).then(
      () => null,
      (error: unknown) => error,
    );
    assert.ok(fault instanceof ModelFault, `${JSON.stringify(turn)} gave ${String(fault)}`);
    return fault;
  };

  describe(`the wire of ${name}`, () => {
    test('text and parallel calls arrive whole, wherever the stream is cut', async () => {
      const text = 'héllo "wörld" \\ 日本 \u{1f600}';
      for (const seed of [1, 2, 3, 4, 5]) {
        const answer = await ask({ text, calls: TWO_CALLS }, seed);
        assert.equal(answer.text, text);
        assert.deepEqual(answer.calls, READ_TWO);
        assert.equal(answer.finish, 'tool-calls');
        assert.deepEqual(answer.usage, { in: 120, out: 30, cached: 0 });
      }
    });

    test('calls whose pieces take turns, and a start that comes twice, are the same', async () => {
      assert.deepEqual((await ask({ calls: TWO_CALLS, fault: { kind: 'interleaved' } })).calls, READ_TWO);
      assert.equal((await ask({ text: 'once', fault: { kind: 'duplicated_start' } })).text, 'once');
    });

    test('arguments that are cut off fail their call, none at all are empty, huge ones are refused', async () => {
      const answer = await ask({
        calls: [
          { name: 'fs_read', args: '{"path": "x' },
          { name: 'fs_list', args: '' },
          { name: 'fs_write', args: { content: 'x'.repeat(10_000_000) } },
        ],
      });
      const [cut, none, huge] = answer.calls;
      assert.match(cut?.malformed ?? '', /^the arguments are no JSON: /);
      assert.deepEqual([none?.args, none?.malformed], [{}, undefined]);
      assert.equal(huge?.malformed, 'the arguments have 10000014 bytes, at most 262144 are taken');
    });

    test('reasoning, however long, is no part of the answer, and counts where nobody counts tokens', async () => {
      const { text, length } = await ask({ text: 'short', reasoning: 200_000 });
      assert.deepEqual([text, length], ['short', name === 'openai-compatible' ? 200_005 : 5]);
    });

    test('what breaks off in the middle is a fault that may be tried again and has been paid for', async () => {
      for (const turn of [
        { text: 'words', finish: null },
        { text: 'words', fault: { kind: 'truncated' } },
        { text: 'words', fault: { kind: 'corrupt' } },
        { text: 'words', fault: { kind: 'reset' } },
      ] as const) {
        const fault = await faultOf(turn);
        assert.deepEqual(
          [fault.isRetryable, fault.hasBegun, fault.status],
          [true, true, null],
          JSON.stringify(turn),
        );
      }
    });

    test('a connection that breaks after the headers, in the first event or later is tried again', async () => {
      for (const [afterBytes, hasBegun] of [
        [0, false],
        [20, false],
        [100_000, true],
      ] as const) {
        const fault = await faultOf({ text: 'x'.repeat(200_000), fault: { kind: 'broken', afterBytes } });
        assert.match(fault.message, /^the answer broke off: /);
        assert.deepEqual([fault.isRetryable, fault.hasBegun, fault.status], [true, hasBegun, null]);
      }
    });

    test('reasons by which providers say that they broke an answer off are no end of it', async () => {
      for (const finish of ['error', 'insufficient_system_resource', 'malformed_model_output']) {
        const fault = await faultOf({ text: 'half of it', finish });
        assert.deepEqual([fault.isRetryable, fault.hasBegun], [true, true], finish);
      }
      assert.equal((await ask({ text: 'half', finish: 'model_context_window_exceeded' })).finish, 'length');
      assert.equal((await ask({ text: 'whole', finish: 'eos' })).finish, 'other');
    });

    test('silence before the headers and in the middle ends the request', async () => {
      for (const kind of ['hang_before_headers', 'hang_midway'] as const) {
        const fault = await faultOf({ text: 'never', fault: { kind } });
        assert.deepEqual([fault.message, fault.isRetryable], ['nothing came for 0.3 s', true]);
      }
    });

    test('statuses: which may be tried again, and when', async () => {
      const status = async (code: number, retryAfter?: string) => {
        const fault = await faultOf({
          fault: { kind: 'status', status: code, ...(retryAfter === undefined ? {} : { retryAfter }) },
        });
        return [fault.status, fault.isRetryable, fault.retryAfterMs, fault.hasBegun];
      };
      assert.deepEqual(await status(429, '3'), [429, true, 3000, false]);
      assert.deepEqual(await status(429), [429, true, null, false]);
      assert.deepEqual(await status(500), [500, true, null, false]);
      assert.deepEqual(await status(529), [529, true, null, false]);
      assert.deepEqual(await status(400), [400, false, null, false]);
      assert.deepEqual(await status(401), [401, false, null, false]);
    });

    test('a key that the provider repeats is in no error', async () => {
      const message = 'no such key: key-1, or id-1 and key-1';
      const fault = await faultOf({ fault: { kind: 'status', status: 401, message } });
      assert.match(fault.message, /^HTTP 401: no such key: \*\*\*, or (id-1|\*\*\*) and \*\*\*$/);
    });

    test('an abort ends a slow stream at once, and the connection', async () => {
      const abort = new AbortController();
      const asked = provider.requests.length;
      const answer = ask(
        { text: 'x'.repeat(1000), fault: { kind: 'slow', bytesPerSecond: 50 } },
        1,
        abort.signal,
      );
      await provider.whenAsked(asked + 1);
      abort.abort(new Error('enough'));
      await assert.rejects(answer, { message: 'enough' });
    });

    test('the request has system, conversation, tools and limit, and the key in a header', async () => {
      await ask({ text: 'ok' });
      const request = provider.requests.at(-1);
      const { body, headers } = request ?? assert.fail('no request came');
      const sent = JSON.stringify(body);
      for (const part of ['You are a test.', 'no such file', 'fs_read', '100', 'c1-1'])
        assert.ok(sent.includes(part), `${part} is not in ${sent}`);
      assert.ok(!sent.includes('key-1'));
      const given = `${String(headers['authorization'])} ${String(headers['x-api-key'])}`;
      assert.ok(given.includes(name === 'bedrock' ? 'AWS4-HMAC-SHA256 Credential=id-1/' : 'key-1'), given);
    });
  });
}
