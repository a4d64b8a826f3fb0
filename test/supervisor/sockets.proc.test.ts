import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

const SOCKETS = ['control.sock', 'instance.sock'] as const;
const DEADLINE_MS = 20_000;

describe('what strangers send to the sockets', { timeout: 120_000 }, () => {
  let bench: Bench;
  let pid: number;
  let id: string;
  before(async () => {
    bench = openBench();
    bench.script('gate.sh', 'until [ -e go ]; do sleep 0.05; done; echo through');
    bench.skill('gate', { type: 'code_inline', command: 'sh', args: ['gate.sh'] });
    bench.workflow('gate', { steps: [{ id: 'wait', type: 'skill', skill: 'gate' }] });
    id = ((await bench.json('run', 'gate', '--detach')) as { id: string }).id;
    await eventually('the step', async () => (await bench.status(id)).steps[0]?.status === 'running');
    pid = await bench.supervisorPid();
  });
  after(() => bench.close());

  const open = async (name: string): Promise<Socket> => {
    const socket = createConnection(join(bench.home, name));
    socket.on('error', () => undefined);
    await once(socket, 'connect', { signal: AbortSignal.timeout(DEADLINE_MS) });
    return socket;
  };
  const closed = (socket: Socket): Promise<void> => {
    socket.resume();
    return eventually('the end of the connection', () => socket.destroyed).then(() => undefined);
  };
  const endOf = (run: string): Promise<StatusDocument> =>
    eventually('the end', async () => {
      const now = await bench.status(run);
      return now.ended_at !== null && now;
    });
  /** What comes up to the first end of a line. */
  const firstLine = (socket: Socket): Promise<string> =>
    new Promise((resolve) => {
      let text = '';
      const take = (chunk: Buffer): void => {
        text += String(chunk);
        if (!text.includes('\n')) return;
        socket.off('data', take);
        resolve(text);
      };
      socket.on('data', take);
    });
  const answer = async (socket: Socket): Promise<Record<string, unknown>> => {
    const line = JSON.parse(await firstLine(socket)) as Record<string, unknown>;
    socket.destroy();
    return line;
  };

  async function isUnhurt(): Promise<void> {
    assert.equal(await bench.supervisorPid(), pid);
    const run = await bench.status(id);
    assert.deepEqual([run.status, run.incarnations], ['running', 1]);
  }

  for (const name of SOCKETS) {
    test(`${name}: garbage, half a message and binary end that connection alone`, async () => {
      for (const bytes of [
        'GET / HTTP/1.1\r\n\r\n',
        '{"half": \n',
        'null\n',
        '7\n',
        '[]\n',
        '\u0000\u00ff\n',
        '{}\n'.repeat(1000),
      ]) {
        const socket = await open(name);
        socket.write(bytes);
        socket.end();
        await closed(socket);
      }
      await isUnhurt();
    });

    test(`${name}: a message without an end is cut off, and its memory is given back`, async () => {
      const before = await memory();
      const socket = await open(name);
      const chunk = Buffer.alloc(1024 * 1024, 'x');
      for (let sent = 0; sent < 80 && !socket.destroyed; sent += 1)
        if (!socket.write(chunk))
          await Promise.race([new Promise((resolve) => socket.once('drain', resolve)), closed(socket)]);
      await closed(socket);
      await isUnhurt();
      await eventually('the memory', async () => (await memory()) < before + 100 * 1024 * 1024);
    });

    test(`${name}: hundreds of connections that say nothing do not hinder others`, async () => {
      const sockets = await Promise.all(Array.from({ length: 300 }, () => open(name)));
      await isUnhurt();
      for (const socket of sockets) socket.destroy();
    });
  }

  const memory = async (): Promise<number> =>
    ((await bench.json('supervisor', 'status')) as { memory_bytes: number }).memory_bytes;

  test('instance.sock fences a wrong token, a wrong incarnation and an unknown instance', async () => {
    const hello = {
      type: 'hello',
      instance: id,
      incarnation: 1,
      token: 'wrong',
      pid: process.pid,
      ackedSeq: 0,
    };
    for (const wrong of [
      {},
      { incarnation: 2 },
      { incarnation: 0 },
      { instance: 'nobody' },
      { token: '' },
      { token: null },
    ]) {
      const socket = await open('instance.sock');
      socket.write(`${JSON.stringify({ ...hello, ...wrong })}\n`);
      assert.equal((await answer(socket))['type'], 'fenced');
    }
    await isUnhurt();
  });

  test('instance.sock has none of the methods of control.sock', async () => {
    const socket = await open('instance.sock');
    socket.write('{"jsonrpc":"2.0","id":1,"method":"supervisor.stop","params":{"instances":"stop"}}\n');
    assert.equal((await answer(socket))['type'], 'fenced');
    await isUnhurt();
  });

  test('control.sock answers an unknown method and wrong parameters with an error', async () => {
    for (const request of [
      { id: 1, method: 'nosuch' },
      { id: 1, method: '__proto__' },
      { id: 1, method: 'constructor' },
      { id: 1, method: 'workflow.run', params: {} },
      { id: 1, method: 'workflow.run', params: 'x' },
      { id: 1, method: 'instance.status', params: { id: { $ne: null } } },
      { id: 1, method: 'instance.status', params: { id: '%' } },
      { id: 1, method: 'instance.list', params: { limit: 'x' } },
      { id: 'text', method: 'supervisor.status' },
    ]) {
      const socket = await open('control.sock');
      socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...request })}\n`);
      assert.ok('error' in (await answer(socket)), JSON.stringify(request));
    }
    await isUnhurt();
  });

  test('a follower that does not read is let go, and the run that it followed goes on', async () => {
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    const say = {
      id: 'say',
      type: 'skill',
      skill: 'say',
      inputs: { text: 'x'.repeat(100_000) },
      set: { n: 'n + 1' },
    };
    const wait = { id: 'wait', type: 'skill', skill: 'gate' };
    bench.workflow('large', {
      context: { mutable: { n: 0 } },
      steps: [wait, { id: 'turns', type: 'loop', condition: 'n < 150', max_iterations: 200, steps: [say] }],
    });
    const large = ((await bench.json('run', 'large', '--detach')) as { id: string }).id;
    const socket = await open('control.sock');
    socket.write(
      `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'instance.watch', params: { id: large } })}\n`,
    );
    assert.ok('result' in JSON.parse(await firstLine(socket)));
    socket.pause();
    bench.script('go', '');
    const run = await endOf(large);
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    let received = 0;
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length;
    });
    await closed(socket);
    assert.ok(received < 12_000_000, `${received} bytes were kept for it`);
  });

  test('after all that the run completes', async () => {
    bench.script('go', '');
    const run = await endOf(id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
    assert.equal(await bench.supervisorPid(), pid);
  });
});
