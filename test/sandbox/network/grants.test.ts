import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import { NetworkGrants } from '../../../sandbox/network/grants.ts';
import { until } from '../harness.ts';
import { byteServer, decisions, dial, exchange, httpServer, openProxy, rest, tunnelTo } from './bench.ts';
import { realHello } from './hello.ts';

const get = (authority: string): string =>
  `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`;
const reasonOf = (answer: string): string | undefined => /X-Q-Workflow-Reason: (\w+)/.exec(answer)?.[1];
const way = (host: string, port: number, refuse: readonly string[] = []) => ({
  rules: [{ host, ports: [port], classes: ['loopback'], by: 'approval 7' } as const],
  refuse: refuse.map((each) => ({ host: each, ports: 'any' as const })),
});

describe('what an approved call may reach', { timeout: 60_000 }, () => {
  test('its host while it lasts, with the number of the approval in each decision; nothing before and after', async (t) => {
    const { port, seen } = await httpServer(t);
    const grants = new NetworkGrants();
    const bench = await openProxy(t, [], { rules: [], grants });
    const ask = async (): Promise<string> => exchange(bench.port, get(`example.test:${port}`));
    assert.equal(reasonOf(await ask()), 'host_not_listed');
    const end = grants.open({ approval: 7, ways: [way('example.test', port)] });
    assert.match(await ask(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nok$/);
    for (const other of [`example.test:${port + 1}`, `www.example.test:${port}`, `127.0.0.1:${port}`])
      assert.match(reasonOf(await exchange(bench.port, get(other))) ?? '', /_not_listed$/, other);
    end();
    assert.equal(reasonOf(await ask()), 'host_not_listed');
    assert.deepEqual(seen, [`GET / example.test:${port}`]);
    assert.deepEqual(bench.lookups, ['example.test']);
    const decided = bench.events.filter((event) => event.type === 'decided');
    assert.deepEqual(
      decided.map(({ outcome, approval, rule }) => [outcome, approval, rule?.by]),
      [
        ['refused', undefined, undefined],
        ['allowed', 7, 'approval 7'],
        ['refused', undefined, undefined],
        ['refused', undefined, undefined],
        ['refused', undefined, undefined],
        ['refused', undefined, undefined],
      ],
    );
  });

  test('what the rules open anyway is theirs; a refusal of the rules does not hold for the grant, its own does', async (t) => {
    const { port } = await httpServer(t);
    const grants = new NetworkGrants();
    const bench = await openProxy(t, [port], { refuse: [{ host: 'asked.test', ports: 'any' }], grants });
    grants.open({
      approval: 7,
      ways: [way('127.0.0.1', port), way('asked.test', port), way('denied.test', port, ['denied.test'])],
    });
    await exchange(bench.port, get(`127.0.0.1:${port}`));
    await exchange(bench.port, get(`asked.test:${port}`));
    assert.equal(reasonOf(await exchange(bench.port, get(`denied.test:${port}`))), 'host_refused');
    const decided = bench.events.filter((event) => event.type === 'decided');
    assert.deepEqual(
      decided.map(({ outcome, approval }) => [outcome, approval]),
      [
        ['allowed', undefined],
        ['allowed', 7],
        ['refused', undefined],
      ],
    );
  });

  test('a name that leads elsewhere than the grant says is refused', async (t) => {
    const { port, seen } = await httpServer(t);
    const grants = new NetworkGrants();
    const bench = await openProxy(t, [], { rules: [], grants });
    const plain = { rules: [{ host: 'example.test', ports: [port] }] };
    grants.open({ approval: 7, ways: [plain] });
    assert.equal(reasonOf(await exchange(bench.port, get(`example.test:${port}`))), 'address_refused');
    assert.deepEqual(seen, []);
  });

  test('a connection that is open when the call ends is cut, one of the rules is not', async (t) => {
    const server = await byteServer(t, (socket) => socket.write('hello'));
    const grants = new NetworkGrants();
    const bench = await openProxy(t, [server.port], { grants });
    const end = grants.open({ approval: 7, ways: [way('example.test', server.port)] });
    const granted = await tunnelTo(bench.port, `example.test:${server.port}`);
    granted.write(await realHello('example.test'));
    await once(granted, 'data');
    const listed = await tunnelTo(bench.port, `127.0.0.1:${server.port}`);
    listed.write(await realHello(null));
    await once(listed, 'data');
    end();
    assert.equal(await rest(granted), '');
    await until('the end is told', () => bench.events.some(({ type }) => type === 'ended'));
    const [ended, ...more] = bench.events.filter((event) => event.type === 'ended');
    assert.deepEqual([ended?.connection, ended?.reason, more], [1, 'call_ended', []]);
    assert.ok(!listed.destroyed);
    listed.destroy();
  });

  test('a call that ends while its connection is made opens none', async (t) => {
    const { port, seen } = await httpServer(t);
    const grants = new NetworkGrants();
    const asked = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<readonly string[]>();
    const bench = await openProxy(t, [], {
      rules: [],
      grants,
      resolve: () => {
        asked.resolve();
        return answer.promise;
      },
    });
    const end = grants.open({ approval: 7, ways: [way('example.test', port)] });
    const socket = await dial(bench.port);
    socket.write(get(`example.test:${port}`));
    await asked.promise;
    end();
    answer.resolve(['127.0.0.1']);
    assert.equal(reasonOf(await rest(socket)), 'address_refused');
    assert.deepEqual(
      [seen, decisions(bench.events)],
      [[], [`refused http example.test:${port} address_refused`]],
    );
  });
});
