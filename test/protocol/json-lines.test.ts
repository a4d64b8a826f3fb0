import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openJsonLines } from '../../src/protocol/json-lines.ts';

let folder: string;
let server: Server;
let accept: (socket: Socket) => void = () => undefined;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qw-lines-'));
  server = createServer((socket) => accept(socket));
  await new Promise<void>((resolve) => server.listen(join(folder, 's'), resolve));
});
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

interface Heard {
  readonly messages: unknown[];
  readonly error: Error | null;
}

/** What a reader hears of the chunks, written one after the other, up to the end of the connection. */
async function hear(
  chunks: readonly (string | Buffer)[],
  onMessage: (message: unknown) => void = () => undefined,
): Promise<Heard> {
  const heard = new Promise<Heard>((resolve) => {
    accept = (socket) => {
      const messages: unknown[] = [];
      openJsonLines(socket, {
        message: (message) => {
          messages.push(message);
          onMessage(message);
        },
        closed: (error) => resolve({ messages, error }),
      });
    };
  });
  const socket = createConnection(join(folder, 's'));
  socket.on('error', () => undefined);
  for (const chunk of chunks) {
    if (socket.destroyed) break;
    await new Promise((resolve) => socket.write(chunk, resolve));
  }
  socket.end();
  return heard;
}

test('many messages in one chunk, and one in many, arrive whole and in order', async () => {
  const { messages, error } = await hear(['{"a":1}\n\n[2]\n3', '4\n"x', 'y', '"\n']);
  assert.deepEqual(messages, [{ a: 1 }, [2], 34, 'xy']);
  assert.equal(error, null);
});

test('characters that are cut between chunks stay whole', async () => {
  const bytes = Buffer.from(`${JSON.stringify({ text: 'ä€😀' })}\n`);
  const { messages } = await hear([...bytes].map((byte) => Buffer.from([byte])));
  assert.deepEqual(messages, [{ text: 'ä€😀' }]);
});

test('a line of many megabytes is read', async () => {
  const text = 'x'.repeat(10 * 1024 * 1024);
  const { messages } = await hear([`${JSON.stringify(text)}\n`]);
  assert.deepEqual(messages, [text]);
});

test('a line without an end is cut off at 64 MiB', async () => {
  const chunk = Buffer.alloc(4 * 1024 * 1024, 'x');
  const { messages, error } = await hear(Array.from({ length: 20 }, () => chunk));
  assert.deepEqual(messages, []);
  assert.equal(error?.message, 'a message is longer than 67108864 bytes');
});

test('what is no JSON, and what its listener throws, ends the connection; nothing after it is heard', async () => {
  const broken = await hear(['{"a":1}\n{"a":\n{"a":2}\n']);
  assert.deepEqual(broken.messages, [{ a: 1 }]);
  assert.ok(broken.error instanceof SyntaxError);
  const thrown = await hear(['1\n2\n3\n'], (message) => {
    if (message === 2) throw new Error('no two');
  });
  assert.deepEqual([thrown.messages, thrown.error?.message], [[1, 2], 'no two']);
});

test('half a message at the end of the connection is passed over', async () => {
  assert.deepEqual(await hear(['{"a":1}\n{"a":']), { messages: [{ a: 1 }], error: null });
});
