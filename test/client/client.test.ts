import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { type Client, connect } from '../../src/client/client.ts';
import { locateHome } from '../../src/protocol/home.ts';

let folder: string;
let server: Server;
const sockets = new Set<Socket>();
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'qw-client-'));
});
afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true });
});

/** Connects to a server that does with each line what `answer` says. */
async function connectTo(answer: (socket: Socket, line: string) => void): Promise<Client> {
  const home = locateHome({ Q_WORKFLOW_HOME: folder });
  server = createServer((socket) => {
    sockets.add(socket);
    socket.on('data', (chunk) => answer(socket, String(chunk)));
  });
  await new Promise<void>((resolve) => server.listen(home.controlSocket, resolve));
  return connect(home, 'must_run', { answerDeadlineMs: 50 });
}

const unreachable = (message: RegExp): object => ({ code: 'SUPERVISOR_UNREACHABLE', message });

test('a supervisor that does not answer is given up after the deadline', async () => {
  const client = await connectTo(() => undefined);
  await assert.rejects(
    client.call('supervisor.status', {}),
    unreachable(/has not answered supervisor\.status for 0\.05 s/),
  );
  client.close();
});

test('what lasts is waited for while the supervisor answers anything, also of a version that knows no ping', async () => {
  let pings = 0;
  const client = await connectTo((socket, line) => {
    const { id, method } = JSON.parse(line) as { id: number; method: string };
    if (method !== 'supervisor.ping') return;
    pings += 1;
    const data = { code: 'PROTOCOL', message: 'the supervisor has no method supervisor.ping' };
    const answer = pings === 1 ? { id, result: null } : { id, error: { code: 1, message: '', data } };
    socket.write(`${JSON.stringify(answer)}\n`);
    if (pings === 3) socket.write(`${JSON.stringify({ id: 1, result: [] })}\n`);
  });
  assert.deepEqual(await client.call('archive.list', {}), []);
  assert.equal(pings, 3);
  client.close();
});

test('what lasts is given up when the supervisor answers nothing else', async () => {
  const client = await connectTo(() => undefined);
  await assert.rejects(
    client.call('archive.list', {}),
    unreachable(/has not answered archive\.list for 0\.05 s/),
  );
  client.close();
});

test('a connection that is closed rejects what waits, and what is asked afterwards', async () => {
  const client = await connectTo((socket) => socket.destroy());
  await assert.rejects(client.call('supervisor.status', {}), unreachable(/closed the connection/));
  await client.closed;
  await assert.rejects(client.call('supervisor.status', {}), unreachable(/closed the connection/));
});

test('an answer that is no JSON ends the connection', async () => {
  const client = await connectTo((socket) => void socket.write('{"id":1,\n'));
  await assert.rejects(client.call('supervisor.status', {}), unreachable(/closed the connection/));
});

test('an error answer is the error of the table, with its problems', async () => {
  const data = {
    code: 'INPUT_INVALID',
    message: 'no',
    problems: [{ severity: 'error', path: 'a', message: 'b' }],
  };
  const client = await connectTo(
    (socket) => void socket.write(`${JSON.stringify({ id: 1, error: { code: 1, message: '', data } })}\n`),
  );
  await assert.rejects(client.call('supervisor.status', {}), {
    code: 'INPUT_INVALID',
    exitStatus: 2,
    problems: data.problems,
  });
  client.close();
});
