import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { until } from '../harness.ts';
import { byteServer, decisions, dial, exchange, httpServer, NAME, openProxy, rest } from './bench.ts';

const get = (url: string, host: string): string =>
  `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
const statusOf = (answer: string): string => answer.split('\r\n')[0] ?? '';
const reasonOf = (answer: string): string | undefined => /X-Q-Workflow-Reason: (\w+)/.exec(answer)?.[1];

describe('plain HTTP through the proxy', { timeout: 60_000 }, () => {
  test('a listed host is reached, and what was decided and sent is told', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port]);
    const answer = await exchange(bench.port, get(`http://API.example.:${port}/a?b`, `api.example:${port}`));
    assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
    assert.deepEqual(seen, [`GET /a?b api.example:${port}`]);
    assert.deepEqual(bench.lookups, [NAME]);
    await until('the end is told', () => bench.events.length === 2);
    const [decided, ended] = bench.events;
    assert.deepEqual(decided, {
      type: 'decided',
      connection: 1,
      method: 'http',
      outcome: 'allowed',
      host: NAME,
      port,
      addresses: ['127.0.0.1'],
      rule: { host: NAME, ports: [port] },
      reason: null,
    });
    assert.ok(ended?.type === 'ended' && ended.bytesOut > 0 && ended.bytesIn > 0);
    assert.deepEqual(
      { ...ended, bytesOut: 0, bytesIn: 0 },
      {
        type: 'ended',
        connection: 1,
        address: '127.0.0.1',
        bytesOut: 0,
        bytesIn: 0,
        reason: null,
      },
    );
  });

  test('what is not listed is refused before its name is looked up', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port]);
    for (const [where, reason] of [
      ['other.example', 'host_not_listed'],
      [`x.${NAME}:${port}`, 'host_not_listed'],
      [`${NAME}:1`, 'port_not_listed'],
      [NAME, 'port_not_listed'],
      ['169.254.169.254', 'host_not_listed'],
      ['[fd00:ec2::254]', 'host_not_listed'],
      [`127.0.0.2:${port}`, 'host_not_listed'],
      [`localhost:${port}`, 'host_not_listed'],
    ] as const) {
      const answer = await exchange(bench.port, get(`http://${where}/`, where));
      assert.equal(statusOf(answer), 'HTTP/1.1 403 Forbidden', where);
      assert.equal(reasonOf(answer), reason, where);
      assert.match(answer, /q-workflow: .* is not in the list of this step\n$/);
    }
    assert.deepEqual([bench.lookups, seen], [[], []]);
    assert.equal(decisions(bench.events)[0], 'refused http other.example:80 host_not_listed');
  });

  test('a listed name that leads into a private network is refused', async (t) => {
    const { port, seen } = await httpServer(t);
    for (const addresses of [
      ['127.0.0.1'],
      ['::1'],
      ['::ffff:127.0.0.1'],
      ['64:ff9b::7f00:1'],
      ['10.0.0.1', '192.168.0.1'],
      ['169.254.169.254'],
      ['0.0.0.0'],
      [],
    ]) {
      const bench = await openProxy(t, [port], {
        rules: [{ host: NAME, ports: [port] }],
        resolve: async () => addresses,
      });
      const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
      assert.deepEqual([statusOf(answer), reasonOf(answer)], ['HTTP/1.1 403 Forbidden', 'address_refused']);
    }
    assert.deepEqual(seen, []);
  });

  test('an address of this machine is refused where no rule lists it', async (t) => {
    const { port, seen } = await httpServer(t);
    const rules = [{ host: NAME, ports: [port] }];
    const own = {
      rules,
      resolve: async () => ['9.9.9.9'],
      isOwn: (address: string) => address === '9.9.9.9',
    };
    const bench = await openProxy(t, [port], own);
    const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    assert.equal(reasonOf(answer), 'address_refused');
    assert.deepEqual(seen, []);
  });

  test('a name is looked up once, and only what was checked is connected to', async (t) => {
    const { port, seen } = await httpServer(t);
    // The second answer would lead elsewhere: nobody asks for it.
    const answers = [['10.0.0.1', '127.0.0.1'], ['127.0.0.3']];
    const bench = await openProxy(t, [port], { resolve: async () => answers.shift() ?? [] });
    const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    assert.equal(statusOf(answer), 'HTTP/1.1 200 OK');
    assert.equal(answers.length, 1);
    assert.deepEqual(decisions(bench.events), [`allowed http ${NAME}:${port} 127.0.0.1`]);
    assert.equal(seen.length, 1);
  });

  test('the next address is tried when one does not answer; when none does it is 502', async (t) => {
    const { port } = await httpServer(t);
    const rules = ['127.0.0.1', '127.0.0.9', NAME].map((host) => ({ host, ports: [port, 1] }));
    const bench = await openProxy(t, [port], { rules, resolve: async () => ['127.0.0.9', '127.0.0.1'] });
    const good = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    assert.equal(statusOf(good), 'HTTP/1.1 200 OK');
    const bad = await exchange(bench.port, get(`http://${NAME}:1/`, `${NAME}:1`));
    assert.deepEqual([statusOf(bad), reasonOf(bad)], ['HTTP/1.1 502 Bad Gateway', 'unreachable']);
    assert.match(bad, /q-workflow: api\.example:1 does not answer\n$/);
  });

  test('a name that is not found, or not in time, is 502', async (t) => {
    const { port } = await httpServer(t);
    for (const resolve of [
      () => Promise.reject(new Error('ENOTFOUND')),
      () => new Promise<string[]>(() => undefined),
    ]) {
      const bench = await openProxy(t, [port], { resolve, limits: { resolveMs: 30 } });
      const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
      assert.deepEqual([statusOf(answer), reasonOf(answer)], ['HTTP/1.1 502 Bad Gateway', 'unresolved']);
    }
  });

  test('what cannot be recorded does not happen', async (t) => {
    const { port, sockets } = await httpServer(t);
    const bench = await openProxy(t, [port], { onEvent: () => Promise.reject(new Error('disk full')) });
    const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    assert.deepEqual([statusOf(answer), reasonOf(answer)], ['HTTP/1.1 502 Bad Gateway', 'not_recorded']);
    assert.equal(sockets.length, 0);
  });

  test('the record of a decision is waited for', async (t) => {
    const { port, sockets } = await httpServer(t);
    const committed = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    const bench = await openProxy(t, [port], {
      onEvent: async () => {
        asked.resolve();
        await committed.promise;
      },
    });
    const answer = exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    await asked.promise;
    assert.equal(sockets.length, 0);
    committed.resolve();
    assert.equal(statusOf(await answer), 'HTTP/1.1 200 OK');
  });

  test('a Host that is not that of the URL is refused', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port]);
    const url = `http://${NAME}:${port}/`;
    for (const host of [
      'other.example',
      NAME,
      `${NAME}:${port}, other.example`,
      `${NAME}:${port}\r\nHost: other.example`,
    ]) {
      const answer = await exchange(bench.port, get(url, host));
      assert.deepEqual(
        [statusOf(answer), reasonOf(answer)],
        ['HTTP/1.1 400 Bad Request', 'host_differs'],
        host,
      );
    }
    assert.deepEqual(seen, []);
  });

  test('a redirect is the client’s to follow, and judged like everything else', async (t) => {
    const { port, seen } = await httpServer(t, (_request, response) => {
      response.writeHead(302, { Location: 'http://169.254.169.254/latest/meta-data' }).end();
    });
    const bench = await openProxy(t, [port]);
    const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    assert.match(
      answer,
      /^HTTP\/1\.1 302 Found\r\nLocation: http:\/\/169\.254\.169\.254\/latest\/meta-data\r\n/,
    );
    const next = await exchange(
      bench.port,
      get('http://169.254.169.254/latest/meta-data', '169.254.169.254'),
    );
    assert.equal(reasonOf(next), 'host_not_listed');
    assert.equal(seen.length, 1);
  });

  test('requests on one connection are judged one by one', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port]);
    const first = `GET http://${NAME}:${port}/1 HTTP/1.1\r\nHost: ${NAME}:${port}\r\n\r\n`;
    const answer = await exchange(bench.port, first + get('http://other.example/2', 'other.example'));
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), ['HTTP/1.1 200', 'HTTP/1.1 403']);
    assert.deepEqual(seen, [`GET /1 ${NAME}:${port}`]);
  });

  test('a body goes on as it is, and headers for a proxy do not', async (t) => {
    let headers: readonly string[] = [];
    const { port } = await httpServer(t, (request, response) => {
      headers = request.rawHeaders;
      request.pipe(response);
    });
    const bench = await openProxy(t, [port]);
    const head = `POST http://${NAME}:${port}/ HTTP/1.1\r\nHost: ${NAME}:${port}\r\nProxy-Authorization: Basic x\r\nX-Mine: 1\r\nUpgrade: websocket\r\n`;
    const sized = await exchange(
      bench.port,
      `${head}Connection: upgrade, close\r\nContent-Length: 5\r\n\r\nhello`,
    );
    assert.match(sized, /hello/);
    assert.deepEqual(headers, [
      'Host',
      `${NAME}:${port}`,
      'X-Mine',
      '1',
      'Content-Length',
      '5',
      'Connection',
      'close',
    ]);
    const chunked = await exchange(
      bench.port,
      `${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
    );
    assert.match(chunked, /abc/);
    assert.deepEqual(headers.slice(4), ['Transfer-Encoding', 'chunked', 'Connection', 'close']);
  });

  test('an attempt to smuggle a request is refused whole', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port]);
    const url = `http://${NAME}:${port}/`;
    const host = `Host: ${NAME}:${port}`;
    const head = `POST ${url} HTTP/1.1\r\n${host}\r\n`;
    const inner = `GET /smuggled HTTP/1.1\r\n${host}\r\n\r\n`;
    const attempts: Readonly<Record<string, string>> = {
      'CL.TE': `${head}Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
      'TE.CL': `${head}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n5c\r\n${inner}\r\n0\r\n\r\n`,
      'TE.TE': `${head}Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n${inner}`,
      'TE with a list': `${head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${inner}`,
      'TE with a tab': `${head}Transfer-Encoding:\tchunked\u000b\r\n\r\n0\r\n\r\n${inner}`,
      'two lengths': `${head}Content-Length: 0\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`,
      'a list of lengths': `${head}Content-Length: 0, ${inner.length}\r\n\r\n${inner}`,
      'a signed length': `${head}Content-Length: +0\r\n\r\n${inner}`,
      'line ends without CR': `GET ${url} HTTP/1.1\n${host}\n\n${inner}`,
      'one line end without CR': `GET ${url} HTTP/1.1\r\n${host}\nX: y\r\n\r\n${inner}`,
      'a CR within a value': `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\rContent-Length: 9\r\n\r\n${inner}`,
      'a folded header': `GET ${url} HTTP/1.1\r\n${host}\r\nX: y\r\n z\r\n\r\n${inner}`,
      'a folded length': `${head}Content-Length:\r\n 0\r\n\r\n${inner}`,
      'a space before the colon': `${head}Content-Length : ${inner.length}\r\n\r\n${inner}`,
      'a NUL in a value': `GET ${url} HTTP/1.1\r\n${host}\r\nX: a\0b\r\n\r\n${inner}`,
      'chunks without CR': `${head}Transfer-Encoding: chunked\r\n\r\n1\nx\n0\n\n${inner}`,
      'a chunk size that is none': `${head}Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n${inner}`,
      'HTTP/1.0': `GET ${url} HTTP/1.0\r\n${host}\r\n\r\n`,
      'HTTP/0.9': `GET ${url}\r\n\r\n`,
      'HTTP/2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      'a path only': `GET / HTTP/1.1\r\n${host}\r\n\r\n`,
      https: `GET https://${NAME}:${port}/ HTTP/1.1\r\n${host}\r\n\r\n`,
      'a user': `GET http://u@${NAME}:${port}/ HTTP/1.1\r\n${host}\r\n\r\n`,
      'no Host': `GET ${url} HTTP/1.1\r\n\r\n`,
    };
    for (const [name, bytes] of Object.entries(attempts)) {
      const answer = await exchange(bench.port, Buffer.from(bytes, 'latin1'));
      assert.doesNotMatch(answer, /HTTP\/1\.1 2/, name);
      assert.match(answer, /^HTTP\/1\.1 4\d\d /, name);
    }
    // The head of a chunked request goes on before its body is seen to be wrong; what comes after it never does.
    assert.ok(
      seen.every((line) => line === `POST / ${NAME}:${port}`),
      String(seen),
    );
    assert.ok(seen.length <= 2, String(seen));
  });

  test('an answer that could be read in two ways does not come back', async (t) => {
    const answers: Readonly<Record<string, string>> = {
      'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
      'length and chunks':
        'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'no HTTP': 'hello\r\n',
      'a switch of protocols':
        'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
      nothing: '',
    };
    for (const [name, bytes] of Object.entries(answers)) {
      const { port } = await byteServer(t, (socket) => void socket.once('data', () => socket.end(bytes)));
      const bench = await openProxy(t, [port]);
      const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
      assert.equal(statusOf(answer), 'HTTP/1.1 502 Bad Gateway', name);
    }
  });

  test('too large headers are 431, a too large body is 413', async (t) => {
    const { port, seen } = await httpServer(
      t,
      (request, response) => void request.resume().on('end', () => response.end()),
    );
    const bench = await openProxy(t, [port], { limits: { headerBytes: 2000, bodyBytes: 1000 } });
    const url = `http://${NAME}:${port}/`;
    const host = `${NAME}:${port}`;
    const large = await exchange(
      bench.port,
      `GET ${url} HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(2000)}\r\n\r\n`,
    );
    assert.equal(statusOf(large), 'HTTP/1.1 431 Refused');
    assert.deepEqual(seen, []);
    const head = `POST ${url} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 1001\r\n\r\n`;
    const body = await exchange(bench.port, head, 'x'.repeat(1001));
    assert.deepEqual([statusOf(body), reasonOf(body)], ['HTTP/1.1 413 Payload Too Large', 'too_large']);
    await until('the end is told', () => bench.events.at(-1)?.type === 'ended');
    assert.equal(bench.events.at(-1)?.reason, 'too_large');
  });

  test('a request that comes too slowly, and a server that says nothing, end', async (t) => {
    const { port, sockets } = await byteServer(t, () => undefined);
    const bench = await openProxy(t, [port], { limits: { openingMs: 500, idleMs: 100 } });
    assert.match(
      await exchange(bench.port, `GET http://${NAME}:${port}/ HTTP/1.1\r\nX:`),
      /^(HTTP\/1\.1 408 |$)/,
    );
    assert.equal(sockets.length, 0);
    const answer = await exchange(bench.port, get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    assert.match(answer, /^(HTTP\/1\.1 502 |$)/);
    assert.equal(sockets.length, 1);
  });

  test('more connections than allowed are closed, and that is told', async (t) => {
    const { port } = await httpServer(t);
    const bench = await openProxy(t, [port], { limits: { connections: 2 } });
    const held = [await dial(bench.port), await dial(bench.port)];
    assert.equal(await rest(await dial(bench.port)), '');
    await until('it is told', () => bench.events.length === 1);
    assert.deepEqual(decisions(bench.events), ['refused null null:null too_many']);
    for (const socket of held) socket.destroy();
  });

  test('after so many decisions all is refused, with one last record', async (t) => {
    const { port, seen } = await httpServer(t);
    const bench = await openProxy(t, [port], { limits: { decisions: 2 } });
    const ask = async (host: string): Promise<string> => {
      const answer = await exchange(bench.port, get(`http://${host}:${port}/`, `${host}:${port}`));
      return `${statusOf(answer)} ${reasonOf(answer) ?? ''}`;
    };
    assert.equal(await ask('other.example'), 'HTTP/1.1 403 Forbidden host_not_listed');
    assert.equal(await ask(NAME), 'HTTP/1.1 200 OK ');
    assert.equal(await ask(NAME), 'HTTP/1.1 429 Too Many Requests too_many');
    assert.equal(await ask('other.example'), 'HTTP/1.1 429 Too Many Requests too_many');
    assert.match(
      await exchange(bench.port, `CONNECT ${NAME}:${port} HTTP/1.1\r\nHost: x\r\n\r\n`),
      /too_many/,
    );
    assert.deepEqual(decisions(bench.events), [
      `refused http other.example:${port} host_not_listed`,
      `allowed http ${NAME}:${port} 127.0.0.1`,
      `refused http ${NAME}:${port} too_many`,
    ]);
    assert.equal(seen.length, 1);
  });

  test('what a rule refuses, or a narrower list leaves out, is not reached, and the record names the rule', async (t) => {
    const { port, seen } = await httpServer(t);
    const refused = { host: 'old.*', ports: 'any', by: 'user/net#old' } as const;
    const bench = await openProxy(t, [port], {
      rules: [{ host: '*', ports: 'any', classes: ['loopback'] }],
      narrow: [[{ host: '*.example.com', ports: [port], classes: ['loopback'] }]],
      refuse: [refused, { host: '*', ports: 'any', classes: ['private'] }],
      resolve: async (name) => [name.startsWith('inner') ? '10.0.0.1' : '127.0.0.1'],
    });
    const ask = async (host: string): Promise<string | undefined> =>
      reasonOf(await exchange(bench.port, get(`http://${host}:${port}/`, `${host}:${port}`)));
    assert.equal(await ask('api.example.com'), undefined);
    assert.equal(await ask('old.example.com'), 'host_refused');
    assert.equal(await ask('inner.example.com'), 'address_refused');
    assert.equal(await ask('api.example'), 'host_not_listed');
    assert.equal(await ask('127.0.0.1'), 'host_not_listed');
    assert.equal(seen.length, 1);
    const old = bench.events.find((event) => event.type === 'decided' && event.host === 'old.example.com');
    assert.deepEqual(old?.type === 'decided' && [old.rule, old.addresses], [refused, []]);
    // It was not even looked up.
    assert.deepEqual(bench.lookups, ['api.example.com', 'inner.example.com']);
  });

  test('a client that goes away takes its connection to the server with it', async (t) => {
    const { port, sockets } = await byteServer(t, () => undefined);
    const bench = await openProxy(t, [port]);
    const client = await dial(bench.port);
    client.write(get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    await until('it is connected', () => sockets.length === 1);
    client.destroy();
    const [upstream] = sockets;
    assert.ok(upstream !== undefined);
    await once(upstream.resume(), 'end');
    await until('the end is told', () => bench.events.at(-1)?.type === 'ended');
  });

  test('the end of the step ends what is open, and is told', async (t) => {
    const { port, sockets } = await byteServer(t, () => undefined);
    const bench = await openProxy(t, [port]);
    const client = await dial(bench.port);
    client.write(get(`http://${NAME}:${port}/`, `${NAME}:${port}`));
    await until('it is connected', () => sockets.length === 1);
    const end = rest(client);
    await bench.proxy.close();
    assert.equal(await end, '');
    assert.equal(bench.events.at(-1)?.type, 'ended');
    assert.equal(bench.events.at(-1)?.reason, 'step_ended');
    await assert.rejects(dial(bench.port), { code: 'ECONNREFUSED' });
  });

  test('a listener that comes after the end is closed', async (t) => {
    const bench = await openProxy(t, [1]);
    await bench.proxy.close();
    const late = createServer().listen(0, '127.0.0.1');
    t.after(() => late.close());
    await once(late, 'listening');
    const end = once(late, 'close');
    bench.proxy.accept(late);
    await end;
    assert.equal(late.listening, false);
  });

  test('no bytes whatever reach a server that is not listed, and the proxy lives on', async (t) => {
    const { port, sockets } = await byteServer(t, (socket) => socket.destroy());
    const bench = await openProxy(t, [1]);
    const word = fc.constantFrom(
      'GET ',
      'CONNECT ',
      ' HTTP/1.1',
      '\r\n',
      '\n',
      `http://127.0.0.1:${port}/`,
      `127.0.0.1:${port}`,
      `Host: 127.0.0.1:${port}`,
      'http://api.example:1/',
      'Host: api.example:1',
      'Transfer-Encoding: chunked',
      'Content-Length: 3',
      '\0',
      'x',
      '\x16\x03\x01',
    );
    await fc.assert(
      fc.asyncProperty(fc.array(word, { maxLength: 12 }), async (words) => {
        const socket = await dial(bench.port);
        socket.end(Buffer.from(`${words.join('')}\r\n\r\n`, 'latin1'));
        await rest(socket);
      }),
      { numRuns: 100 },
    );
    assert.equal(sockets.length, 0);
    assert.equal(
      reasonOf(await exchange(bench.port, get('http://a.example/', 'a.example'))),
      'host_not_listed',
    );
  });
});
