import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { describe, type TestContext, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { until } from '../harness.ts';
import {
  byteServer,
  decisions,
  dial,
  exchange,
  httpServer,
  NAME,
  openProxy,
  rest,
  tunnelTo,
} from './bench.ts';
import { helloMessage, realHello, records, serverNames } from './hello.ts';

const MIB = 1024 * 1024;
/** TLS without certificates. */
const PSK = { ciphers: 'PSK', minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' } as const;
const KEY = Buffer.alloc(16, 1);

async function tlsServer(t: TestContext): Promise<number> {
  const server = createTlsServer({ ...PSK, pskCallback: () => KEY, pskIdentityHint: 'q' }, (socket) => {
    socket.on('error', () => undefined);
    socket.pipe(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** TLS through a tunnel that is open. */
function startTls(socket: Socket, servername: string | undefined): TLSSocket {
  return connectTls({
    ...PSK,
    socket,
    pskCallback: () => ({ psk: KEY, identity: 'q' }),
    checkServerIdentity: () => undefined,
    ...(servername === undefined ? {} : { servername }),
  });
}

describe('tunnels through the proxy', { timeout: 60_000 }, () => {
  test('TLS to the host that was asked for goes through untouched', async (t) => {
    const port = await tlsServer(t);
    const bench = await openProxy(t, [port]);
    for (const name of [NAME, 'API.Example', undefined]) {
      const tls = startTls(await tunnelTo(bench.port, `${NAME}:${port}`), name);
      tls.end('hello');
      assert.equal(await rest(tls), 'hello');
    }
    await until('the ends are told', () => bench.events.length === 6);
    assert.deepEqual(decisions(bench.events), Array(3).fill(`allowed connect ${NAME}:${port} 127.0.0.1`));
    for (const event of bench.events)
      if (event.type === 'ended') assert.ok(event.bytesIn > 0 && event.bytesOut > 0 && event.reason === null);
  });

  test('TLS for another name is cut before the server gets a byte of it', async (t) => {
    let bytes = 0;
    const { port } = await byteServer(t, (socket) => socket.on('data', (chunk) => (bytes += chunk.length)));
    const bench = await openProxy(t, [port]);
    const hellos: Readonly<Record<string, Buffer>> = {
      'another name': await realHello('other.example'),
      'a name below': await realHello(`x.${NAME}`),
      'a name that is no host': records(helloMessage([serverNames('a/b')])),
      'a name with a NUL': records(helloMessage([serverNames(`${NAME}\0.other.example`)])),
      'two names': records(helloMessage([serverNames(NAME), serverNames('other.example')])),
      'another name in small records': records(helloMessage([serverNames('other.example')]), 20),
      'no hello': Buffer.from([22, 3, 1, 0, 5, 2, 0, 0, 1, 0]),
    };
    for (const [name, hello] of Object.entries(hellos)) {
      const socket = await tunnelTo(bench.port, `${NAME}:${port}`);
      socket.write(hello);
      assert.equal(await rest(socket), '', name);
    }
    await until('the ends are told', () => bench.events.length === 14);
    assert.equal(bytes, 0);
    assert.deepEqual(
      bench.events.flatMap((event) => (event.type === 'ended' ? [event.reason] : [])).toSorted(byText),
      [...Array(2).fill('malformed'), ...Array(5).fill('name_differs')].toSorted(byText),
    );
  });

  test('to an address TLS needs no name, and may have none but the address', async (t) => {
    const { port } = await byteServer(t, (socket) => socket.pipe(socket));
    const bench = await openProxy(t, [port]);
    const nameless = await realHello(null);
    const good = await tunnelTo(bench.port, `127.0.0.1:${port}`);
    good.end(nameless);
    assert.equal((await rest(good)).length, nameless.length);
    const bad = await tunnelTo(bench.port, `127.0.0.1:${port}`);
    bad.end(await realHello(NAME));
    assert.equal(await rest(bad), '');
  });

  test('what is not listed, not allowed or not there gets no tunnel', async (t) => {
    const { port } = await httpServer(t);
    const bench = await openProxy(t, [port, 1]);
    const private_ = await openProxy(t, [port], { rules: [{ host: NAME, ports: [port] }] });
    const cases: readonly (readonly [number, string, string, string])[] = [
      [bench.port, `other.example:${port}`, '403', 'host_not_listed'],
      [bench.port, `${NAME}:2`, '403', 'port_not_listed'],
      [bench.port, '169.254.169.254:80', '403', 'host_not_listed'],
      [bench.port, `[::1]:${port}`, '403', 'host_not_listed'],
      [bench.port, `${NAME}:1`, '502', 'unreachable'],
      [private_.port, `${NAME}:${port}`, '403', 'address_refused'],
      [bench.port, NAME, '400', 'malformed'],
      [bench.port, `http://${NAME}:${port}`, '400', 'malformed'],
      [bench.port, `u@${NAME}:${port}`, '400', 'malformed'],
    ];
    for (const [proxy, authority, status, reason] of cases) {
      const answer = await exchange(proxy, `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
      assert.match(
        answer,
        new RegExp(`^HTTP/1\\.1 ${status} [\\s\\S]*X-Q-Workflow-Reason: ${reason}\r\n`),
        authority,
      );
    }
  });

  test('plain HTTP in a tunnel is judged request by request', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port]);
    const socket = await tunnelTo(bench.port, `${NAME}:${port}`);
    socket.write(`GET /1 HTTP/1.1\r\nHost: ${NAME}:${port}\r\n\r\n`);
    socket.write(`GET /2 HTTP/1.1\r\nHost: ${NAME}:${port}\r\n\r\n`);
    socket.write('GET /3 HTTP/1.1\r\nHost: other.example\r\n\r\n');
    const answer = await rest(socket);
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+|X-Q-\S+ \w+/g), [
      'HTTP/1.1 200',
      'HTTP/1.1 200',
      'HTTP/1.1 400',
      'X-Q-Workflow-Reason: host_differs',
    ]);
    assert.deepEqual(seen, [`GET /1 ${NAME}:${port}`, `GET /2 ${NAME}:${port}`]);
    for (const line of [
      `CONNECT ${NAME}:${port}`,
      `GET http://${NAME}:${port}/`,
      'GET http://other.example/',
    ]) {
      const inner = await tunnelTo(bench.port, `${NAME}:${port}`);
      inner.write(`${line} HTTP/1.1\r\nHost: ${NAME}:${port}\r\n\r\n`);
      assert.match(await rest(inner), /^HTTP\/1\.1 400 [\s\S]*X-Q-Workflow-Reason: malformed/, line);
    }
    assert.equal(seen.length, 2);
  });

  test('other protocols are cut, and their bytes go nowhere', async (t) => {
    let bytes = 0;
    const { port } = await byteServer(t, (socket) => socket.on('data', (chunk) => (bytes += chunk.length)));
    const bench = await openProxy(t, [port], { limits: { openingMs: 100 } });
    for (const opening of ['SSH-2.0-x\r\n', '\x05\x01\x00', '\0', 'EHLO x\r\n', '\x80\x2e\x01\x03\x01']) {
      const socket = await tunnelTo(bench.port, `${NAME}:${port}`);
      socket.write(Buffer.from(opening, 'latin1'));
      assert.match(await rest(socket), /^(HTTP\/1\.1 400 Refused\r\n|HTTP\/1\.1 408 |$)/, opening);
    }
    const silent = await tunnelTo(bench.port, `${NAME}:${port}`);
    assert.equal(await rest(silent), '');
    assert.equal(bytes, 0);
  });

  test('bytes that come with CONNECT, and a hello in pieces, are not lost', async (t) => {
    const { port } = await byteServer(t, (socket) => socket.pipe(socket));
    const bench = await openProxy(t, [port]);
    const hello = await realHello(NAME);
    const early = `CONNECT ${NAME}:${port} HTTP/1.1\r\nHost: x\r\n\r\n`;
    const socket = await dial(bench.port);
    socket.write(Buffer.concat([Buffer.from(early), hello.subarray(0, 7)]));
    await once(socket, 'data');
    socket.write(hello.subarray(7, 60));
    await until('the first pieces are read', () => socket.bytesWritten === early.length + 60);
    socket.end(Buffer.concat([hello.subarray(60), Buffer.from('more')]));
    assert.equal(await rest(socket), `${hello.toString('latin1')}more`);
  });

  test('each side may end before the other', async (t) => {
    const { port } = await byteServer(t, (socket) => {
      // Answers only when the client has ended its side.
      socket.resume().once('end', () => socket.end('late'));
    });
    const bench = await openProxy(t, [port]);
    const client = await tunnelTo(bench.port, `${NAME}:${port}`);
    client.end(await realHello(NAME));
    assert.equal(await rest(client), 'late');

    const taken = Promise.withResolvers<string>();
    const early = await byteServer(t, (socket) => {
      socket.end('early');
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString('latin1'))).once('end', () => taken.resolve(text));
    });
    const other = await openProxy(t, [early.port]);
    const second = await tunnelTo(other.port, `${NAME}:${early.port}`);
    const hello = await realHello(NAME);
    second.write(hello);
    const [chunk] = (await once(second, 'data')) as [Buffer];
    assert.equal(chunk.toString(), 'early');
    if (!second.readableEnded) await once(second, 'end');
    second.end('after');
    assert.equal(await taken.promise, `${hello.toString('latin1')}after`);
  });

  test('a reader that is slow slows the writer down, in both directions', async (t) => {
    const block = Buffer.alloc(MIB);
    const total = 64;
    const pour = async (socket: Socket, sent: { count: number }): Promise<void> => {
      for (; sent.count < total; sent.count += 1) if (!socket.write(block)) await once(socket, 'drain');
      socket.end();
    };
    const stalled = async (sent: { count: number }): Promise<void> => {
      let last = -1;
      let looks = 0;
      await until('the writer is held up', () => {
        looks = sent.count === last ? looks + 1 : 0;
        last = sent.count;
        return looks > 30;
      });
      assert.ok(sent.count < total / 2, `${sent.count} MiB were taken from the writer`);
    };
    const swallow = (socket: Socket): Promise<number> => {
      let size = 0;
      socket.on('data', (chunk) => (size += chunk.length)).resume();
      return once(socket, 'end').then(() => size);
    };
    const hello = await realHello(NAME);

    const down = { count: 0 };
    const source = await byteServer(t, (socket) => void socket.once('data', () => void pour(socket, down)));
    const first = await openProxy(t, [source.port]);
    const reader = await tunnelTo(first.port, `${NAME}:${source.port}`);
    reader.pause();
    reader.write(hello);
    await until('it pours', () => down.count > 0);
    await stalled(down);
    assert.equal(await swallow(reader), total * MIB);
    reader.destroy();

    const up = { count: 0 };
    const sink = await byteServer(t, (socket) => void socket.pause());
    const second = await openProxy(t, [sink.port]);
    const writer = await tunnelTo(second.port, `${NAME}:${sink.port}`);
    writer.write(hello);
    const poured = pour(writer, up);
    await until('it pours', () => up.count > 0);
    await stalled(up);
    const [taker] = sink.sockets;
    assert.ok(taker !== undefined);
    assert.equal(await swallow(taker), total * MIB + hello.length);
    await poured;
    writer.destroy();
  });

  test('silence ends a tunnel', async (t) => {
    const { port } = await byteServer(t, () => undefined);
    const bench = await openProxy(t, [port], { limits: { idleMs: 50 } });
    const socket = await tunnelTo(bench.port, `${NAME}:${port}`);
    socket.write(await realHello(NAME));
    assert.equal(await rest(socket), '');
    await until('the end is told', () => bench.events.at(-1)?.type === 'ended');
    assert.equal(bench.events.at(-1)?.reason, 'idle');
  });

  test('the end of the step ends a tunnel, and is told before close is over', async (t) => {
    const { port, sockets } = await byteServer(t, (socket) => socket.resume());
    const bench = await openProxy(t, [port]);
    const socket = await tunnelTo(bench.port, `${NAME}:${port}`);
    socket.write(await realHello(NAME));
    await until('the hello is there', () => (sockets[0]?.bytesRead ?? 0) > 0);
    const end = rest(socket);
    await bench.proxy.close();
    assert.equal(await end, '');
    assert.equal(bench.events.at(-1)?.reason, 'step_ended');
  });
});

function byText(a: string | null, b: string | null): number {
  return (a ?? '').localeCompare(b ?? '');
}
