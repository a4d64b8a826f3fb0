/** The answers of three providers as they go over the wire, event by event. */
import { crc32 } from 'node:zlib';
import { interleave, parts } from './chunks.ts';
import { argumentsText, callId, type MockTurn } from './scenario.ts';

export interface Wire {
  readonly contentType: string;
  /** One buffer an event, whole; the first begins the message. */
  events(turn: MockTurn, number: number): Buffer[];
  /** An event that cannot be read. */
  corrupt(): Buffer;
  error(status: number, message?: string): string;
}

const sse = (data: unknown, event?: string): Buffer =>
  Buffer.from(
    `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`,
  );

const arrange = <T>(turn: MockTurn, lists: readonly (readonly T[])[]): T[] =>
  turn.fault?.kind === 'interleaved' ? interleave(lists) : lists.flat();

/** Chat completions, as OpenAI and many others stream them. */
export const CHAT: Wire = {
  contentType: 'text/event-stream',
  events: (turn, number) => {
    const chunk = (delta: object, finish: string | null = null): Buffer =>
      sse({
        id: `chatcmpl-${number}`,
        object: 'chat.completion.chunk',
        created: 1,
        model: 'mock',
        choices: [{ index: 0, delta, finish_reason: finish }],
      });
    const calls = (turn.calls ?? []).map((call, index) => [
      chunk({
        tool_calls: [
          {
            index,
            id: callId(call, index, number),
            type: 'function',
            function: { name: call.name, arguments: '' },
          },
        ],
      }),
      ...parts(argumentsText(call), 4).map((text) =>
        chunk({ tool_calls: [{ index, function: { arguments: text } }] }),
      ),
    ]);
    const finish = turn.finish === undefined ? (calls.length > 0 ? 'tool_calls' : 'stop') : turn.finish;
    const usage = turn.usage === undefined ? { in: 120, out: 30 } : turn.usage;
    return [
      chunk({ role: 'assistant', content: '' }),
      ...(turn.reasoning === undefined ? [] : [chunk({ reasoning_content: 'x'.repeat(turn.reasoning) })]),
      ...parts(turn.text ?? '', 5).map((content) => chunk({ content })),
      ...arrange(turn, calls),
      ...(finish === null ? [] : [chunk({}, finish)]),
      ...(usage === null
        ? []
        : [
            sse({
              id: `chatcmpl-${number}`,
              choices: [],
              usage: {
                prompt_tokens: usage.in,
                completion_tokens: usage.out,
                total_tokens: usage.in + usage.out,
              },
            }),
          ]),
      sse('[DONE]'),
    ];
  },
  corrupt: () => sse('{"id": "chatcmpl-0", "choi'),
  error: (status, message = `mock error ${status}`) =>
    JSON.stringify({ error: { message, type: 'mock', code: status } }),
};

/** Messages of Anthropic. */
export const MESSAGES: Wire = {
  contentType: 'text/event-stream',
  events: (turn, number) => {
    const event = (type: string, more: object = {}): Buffer => sse({ type, ...more }, type);
    const usage = turn.usage === undefined ? { in: 120, out: 30 } : turn.usage;
    const block = (index: number, start: object, deltas: readonly object[]): Buffer[] => [
      event('content_block_start', { index, content_block: start }),
      ...deltas.map((delta) => event('content_block_delta', { index, delta })),
      event('content_block_stop', { index }),
    ];
    const text = turn.text ?? '';
    const offset = text === '' ? 0 : 1;
    const calls = (turn.calls ?? []).map((call, index) =>
      block(
        index + offset,
        { type: 'tool_use', id: callId(call, index, number), name: call.name, input: {} },
        parts(argumentsText(call), 4).map((partial_json) => ({ type: 'input_json_delta', partial_json })),
      ),
    );
    const finish = turn.finish === undefined ? (calls.length > 0 ? 'tool_use' : 'end_turn') : turn.finish;
    return [
      event('message_start', {
        message: {
          id: `msg_${number}`,
          type: 'message',
          role: 'assistant',
          model: 'mock',
          content: [],
          stop_reason: null,
          usage: { input_tokens: usage?.in ?? 0, output_tokens: 1 },
        },
      }),
      ...(text === ''
        ? []
        : block(
            0,
            { type: 'text', text: '' },
            parts(text, 5).map((piece) => ({ type: 'text_delta', text: piece })),
          )),
      ...arrange(turn, calls),
      ...(finish === null
        ? []
        : [
            event('message_delta', {
              delta: { stop_reason: finish, stop_sequence: null },
              usage: { output_tokens: usage?.out ?? 0 },
            }),
            event('message_stop'),
          ]),
    ];
  },
  corrupt: () => Buffer.from('event: content_block_delta\ndata: {"type": "content_bl\n\n'),
  error: (status, message = `mock error ${status}`) =>
    JSON.stringify({ type: 'error', error: { type: 'mock', message } }),
};

/** The converse stream of Bedrock: frames with two checksums. */
export const CONVERSE: Wire = {
  contentType: 'application/vnd.amazon.eventstream',
  events: (turn, number) => {
    const text = turn.text ?? '';
    const offset = text === '' ? 0 : 1;
    const usage = turn.usage === undefined ? { in: 120, out: 30 } : turn.usage;
    const calls = (turn.calls ?? []).map((call, index) => [
      frame('contentBlockStart', {
        contentBlockIndex: index + offset,
        start: { toolUse: { toolUseId: callId(call, index, number), name: call.name } },
      }),
      ...parts(argumentsText(call), 4).map((input) =>
        frame('contentBlockDelta', { contentBlockIndex: index + offset, delta: { toolUse: { input } } }),
      ),
      frame('contentBlockStop', { contentBlockIndex: index + offset }),
    ]);
    const finish = turn.finish === undefined ? (calls.length > 0 ? 'tool_use' : 'end_turn') : turn.finish;
    return [
      frame('messageStart', { role: 'assistant' }),
      ...parts(text, 5).map((piece) =>
        frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: piece } }),
      ),
      ...(text === '' ? [] : [frame('contentBlockStop', { contentBlockIndex: 0 })]),
      ...arrange(turn, calls),
      ...(finish === null ? [] : [frame('messageStop', { stopReason: finish })]),
      ...(usage === null || finish === null
        ? []
        : [
            frame('metadata', {
              usage: { inputTokens: usage.in, outputTokens: usage.out, totalTokens: usage.in + usage.out },
              metrics: { latencyMs: 1 },
            }),
          ]),
    ];
  },
  corrupt: () => {
    const bytes = frame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: 'x' } });
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 0xff, bytes.length - 1);
    return bytes;
  },
  error: (status, message = `mock error ${status}`) => JSON.stringify({ message }),
};

function frame(type: string, payload: object): Buffer {
  const headers = Buffer.concat(
    Object.entries({
      ':event-type': type,
      ':content-type': 'application/json',
      ':message-type': 'event',
    }).map(([name, value]) => {
      const head = Buffer.alloc(1 + name.length + 3);
      head.writeUInt8(name.length, 0);
      head.write(name, 1);
      head.writeUInt8(7, 1 + name.length);
      head.writeUInt16BE(value.length, 2 + name.length);
      return Buffer.concat([head, Buffer.from(value)]);
    }),
  );
  const body = Buffer.from(JSON.stringify(payload));
  const total = 12 + headers.length + body.length + 4;
  const prelude = Buffer.alloc(12);
  prelude.writeUInt32BE(total, 0);
  prelude.writeUInt32BE(headers.length, 4);
  prelude.writeUInt32BE(crc32(prelude.subarray(0, 8)), 8);
  const message = Buffer.concat([prelude, headers, body]);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(message));
  return Buffer.concat([message, check]);
}
