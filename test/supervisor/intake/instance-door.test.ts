import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { createConnection, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openInstanceDoor } from '../../../src/supervisor/intake/instance-door.ts';

function socketPath(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'qw-door-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'instance.sock');
}

const never = (error: Error): void => assert.fail(error.message);

async function knock(t: TestContext, path: string, word: string): Promise<Socket> {
  const socket = createConnection(path);
  t.after(() => socket.destroy());
  // To be sent away with words unread is a reset.
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(word);
  return socket;
}

test('who comes before there is somebody to answer is connected, waits, and is heard first', async (t) => {
  const path = socketPath(t);
  const door = await openInstanceDoor(path);
  t.after(() => door.close());
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const early = await knock(t, path, 'early');
  const heard: string[] = [];
  const both = Promise.withResolvers<void>();
  door.open((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (word) => {
      heard.push(String(word));
      socket.end('welcome');
      if (heard.length === 2) both.resolve();
    });
  }, never);
  assert.equal(String(await once(early, 'data')), 'welcome');
  await knock(t, path, 'late');
  await both.promise;
  assert.deepEqual(heard, ['early', 'late']);
});

test('who came and went before there was somebody to answer ends nothing', async (t) => {
  const path = socketPath(t);
  const door = await openInstanceDoor(path);
  t.after(() => door.close());
  const gone = await knock(t, path, 'gone');
  gone.destroy();
  await knock(t, path, 'here');
  const here = Promise.withResolvers<string>();
  door.open((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (word) => {
      if (String(word) === 'here') here.resolve(String(word));
    });
  }, never);
  assert.equal(await here.promise, 'here');
});

test('a start that fails sends away who waits, and takes the socket away', async (t) => {
  const path = socketPath(t);
  const door = await openInstanceDoor(path);
  const early = await knock(t, path, 'early');
  const closed = new Promise((resolve) => early.once('close', resolve));
  early.resume();
  door.close();
  await closed;
  assert.equal(existsSync(path), false);
});

test('a folder that is not there keeps the door shut', async (t) => {
  const path = join(dirname(socketPath(t)), 'none', 'instance.sock');
  await assert.rejects(openInstanceDoor(path), { code: 'EACCES' });
});
