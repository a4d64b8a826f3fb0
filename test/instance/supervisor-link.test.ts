import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { openLink, type SupervisorLink } from '../../src/instance/supervisor-link.ts';
import type { InstanceMessage, NetworkReport } from '../../src/protocol/instance-link.ts';
import { openJsonLines } from '../../src/protocol/json-lines.ts';

let folder: string;
let server: Server;
let link: SupervisorLink;
let sockets: Socket[];
/** What the instance has said on each connection. */
let heard: InstanceMessage[][];
let news: () => void;
let trips: (scope: string) => Promise<void>;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'qw-link-'));
  sockets = [];
  heard = [];
  news = () => undefined;
  trips = () => assert.fail('nothing is tripped');
  server = createServer((socket) => {
    const said: InstanceMessage[] = [];
    heard.push(said);
    sockets.push(socket);
    const lines = openJsonLines(socket, {
      message: (message) => {
        said.push(message as InstanceMessage);
        if ((message as InstanceMessage).type === 'hello') lines.send({ type: 'welcome', ackedSeq: 0 });
        news();
      },
      closed: () => undefined,
    });
  });
  const path = join(folder, 's');
  await new Promise<void>((resolve) => server.listen(path, resolve));
  link = openLink(
    {
      instance: 'i',
      incarnation: 1,
      token: 't',
      socket: path,
      journal: [],
      orphanTimeoutMs: 60_000,
      beatMs: 60_000,
    },
    {
      stop: assert.fail,
      released: () => assert.fail(),
      tripped: ({ scope }) => trips(scope),
      fenced: assert.fail,
      orphaned: assert.fail,
    },
  );
});
afterEach(() => {
  link.close();
  for (const socket of sockets) socket.destroy();
  server.close();
  rmSync(folder, { recursive: true });
});

/** Resolves when a message of that type came on the connection of that number. */
const hears = (connection: number, type: InstanceMessage['type']): Promise<void> =>
  new Promise((resolve) => {
    news = () => {
      if (heard[connection]?.some((message) => message.type === type)) resolve();
    };
    news();
  });

test('a permit is null once its signal aborts, and is not asked for again', { timeout: 10_000 }, async () => {
  const request = {
    kind: 'spawn',
    path: 'a',
    attempt: 1,
    subject: 's',
    tier: 'skill',
    agentName: null,
  } as const;
  const abort = new AbortController();
  const permit = link.permit(request, abort.signal);
  await hears(0, 'permit');
  abort.abort();
  assert.equal(await permit, null);
  assert.equal(await link.permit(request, abort.signal), null);
  const other = link.permit({ ...request, path: 'b' }, new AbortController().signal);
  sockets[0]?.destroy();
  await hears(1, 'permit');
  const asked = heard[1]?.flatMap((message) => (message.type === 'permit' ? [message.request.path] : []));
  assert.deepEqual(asked, ['b']);
  void other;
});

test('a trip is answered when what it covers has ended, not before', { timeout: 10_000 }, async () => {
  await hears(0, 'hello');
  const over = Promise.withResolvers<void>();
  const told = Promise.withResolvers<string>();
  trips = (scope) => {
    told.resolve(scope);
    return over.promise;
  };
  const trip = { type: 'tripped', scope: 'step:i/a', reason: 'x', epoch: 1, isGentle: false };
  sockets[0]?.write(`${JSON.stringify(trip)}\n`);
  assert.equal(await told.promise, 'step:i/a');
  assert.deepEqual(
    heard[0]?.map((message) => message.type),
    ['hello'],
  );
  over.resolve();
  await hears(0, 'switched_off');
  assert.deepEqual(heard[0]?.at(-1), { type: 'switched_off', scope: 'step:i/a' });
});

const report = (path: string, type: 'decided' | 'ended'): NetworkReport =>
  ({ path, attempt: 1, tool: 'exec', event: { type } }) as NetworkReport;

const pathsHeard = (connection: number): string[] =>
  (heard[connection] ?? []).flatMap((message) => (message.type === 'network' ? [message.report.path] : []));

test('a report is kept until it is answered, and told again to the next supervisor', {
  timeout: 10_000,
}, async () => {
  const answers = [link.network(report('a', 'decided')), link.network(report('b', 'ended'))];
  const refused = link.network(report('c', 'decided'));
  await hears(0, 'network');
  sockets[0]?.write(`${JSON.stringify({ type: 'network', id: 3, isRecorded: false })}\n`);
  assert.equal(await refused, false);
  sockets[0]?.destroy();
  await hears(1, 'network');
  sockets[1]?.write(
    [1, 2].map((id) => `${JSON.stringify({ type: 'network', id, isRecorded: true })}\n`).join(''),
  );
  assert.deepEqual(await Promise.all(answers), [true, true]);
  assert.deepEqual(pathsHeard(1), ['a', 'b']);
});

test('a decision that nobody records in time counts as not recorded, an end is kept', {
  timeout: 10_000,
}, async (t) => {
  await hears(0, 'hello');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  let end: boolean | null = null;
  const ended = link.network(report('b', 'ended')).then((isRecorded) => {
    end = isRecorded;
  });
  const decided = link.network(report('a', 'decided'));
  t.mock.timers.tick(10_000);
  assert.equal(await decided, false);
  assert.equal(end, null);
  t.mock.timers.reset();
  await hears(0, 'network');
  sockets[0]?.write(`${JSON.stringify({ type: 'network', id: 1, isRecorded: true })}\n`);
  await ended;
  assert.equal(end, true);
});
