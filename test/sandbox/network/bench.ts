/** A proxy on loopback without a sandbox, and servers to reach through it. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import {
  type AddressInfo,
  connect,
  createServer as createListener,
  type Server,
  type Socket,
} from 'node:net';
import type { TestContext } from 'node:test';
import type { NetworkAccess, NetworkEvent } from '../../../sandbox/network/events.ts';
import { createProxy, type StepProxy } from '../../../sandbox/network/proxy.ts';

/** The name under which tests reach 127.0.0.1, as their resolver says and their rules allow. */
export const NAME = 'api.example';

export interface Upstream {
  readonly port: number;
  readonly sockets: readonly Socket[];
  /** Requests as `METHOD url host`; only of an HTTP server. */
  readonly seen: string[];
}

export interface Bench {
  readonly port: number;
  readonly proxy: StepProxy;
  readonly events: NetworkEvent[];
  /** Names that were looked up. */
  readonly lookups: string[];
}

/** An HTTP server on 127.0.0.1 that answers `ok` where nothing else is said. */
export async function httpServer(t: TestContext, answer?: RequestListener): Promise<Upstream> {
  const seen: string[] = [];
  const server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url} ${request.headers.host}`);
    if (answer !== undefined) answer(request, response);
    else response.end('ok');
  });
  return { seen, ...(await listen(t, server)) };
}

/** A server of bytes on 127.0.0.1. */
export async function byteServer(t: TestContext, take: (socket: Socket) => void): Promise<Upstream> {
  return { seen: [], ...(await listen(t, createListener({ allowHalfOpen: true }, take))) };
}

/** A proxy through which `NAME` and 127.0.0.1 may be reached with these ports. */
export async function openProxy(
  t: TestContext,
  ports: readonly number[],
  more: Partial<NetworkAccess> = {},
): Promise<Bench> {
  const events: NetworkEvent[] = [];
  const lookups: string[] = [];
  const { resolve = async () => ['127.0.0.1'] } = more;
  const proxy = createProxy({
    rules: [
      { host: NAME, ports },
      { host: '127.0.0.1', ports },
    ],
    onEvent: (event) => {
      events.push(event);
    },
    ...more,
    resolve: (name) => {
      lookups.push(name);
      return resolve(name);
    },
  });
  const listener = createListener().listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  proxy.accept(listener);
  t.after(() => proxy.close());
  return { port, proxy, events, lookups };
}

/** Sends bytes and answers all that comes until the other side closes. The own side stays open. */
export async function exchange(port: number, ...parts: readonly (string | Buffer)[]): Promise<string> {
  const socket = await dial(port);
  for (const part of parts) socket.write(part);
  return await rest(socket);
}

export async function dial(port: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Everything until the end; a reset is an end too. */
export async function rest(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString('latin1')));
  if (!socket.closed) await Promise.race([once(socket, 'end'), once(socket, 'close')]);
  socket.destroy();
  return text;
}

/** A tunnel that is open: CONNECT was answered with 200. */
export async function tunnelTo(proxyPort: number, authority: string): Promise<Socket> {
  const socket = await dial(proxyPort);
  socket.write(`CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  const text = answer.toString('latin1');
  if (text !== 'HTTP/1.1 200 Connection Established\r\n\r\n') throw new Error(`no tunnel: ${text}`);
  return socket;
}

/** The decisions, each in one line. */
export function decisions(events: readonly NetworkEvent[]): string[] {
  return events.flatMap((event) =>
    event.type === 'decided'
      ? [
          `${event.outcome} ${event.method} ${event.host}:${event.port} ${event.reason ?? event.addresses.join()}`,
        ]
      : [],
  );
}

async function listen(t: TestContext, server: Server): Promise<Omit<Upstream, 'seen'>> {
  const sockets: Socket[] = [];
  server.on('connection', (socket: Socket) => {
    socket.on('error', () => undefined);
    sockets.push(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  });
  return { port: (server.address() as AddressInfo).port, sockets };
}
