import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Server as Listener, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NetworkAccess } from './events.ts';
import { forward, refuseRequest } from './forward.ts';
import { Refusal, Router } from './router.ts';
import { type HttpTarget, parseAbsolute, parseAuthority, type Target } from './target.ts';
import { openTunnel } from './tunnel.ts';

/** The proxy of one step. */
export interface StepProxy {
  /** Takes the connections that come to a listener; closes one that comes after the end. */
  accept(listener: Listener): void;
  /** Ends all connections; resolves when the end of each is told. */
  close(): Promise<void>;
}

const KEEP_ALIVE_MS = 5000;
/** How often the parser looks for requests that take too long. */
const CHECK_MS = 2000;

/**
 * An HTTP/1.1 proxy that lets through what the rules list: CONNECT for TLS, absolute-form requests, and plain HTTP
 * in a tunnel, where each request is judged like an absolute one. Throws RangeError for a rule that is none.
 */
export function createProxy(access: NetworkAccess): StepProxy {
  const router = new Router(access);
  const { limits } = router;
  const sockets = new Set<Duplex>();
  /** Tunnels in which HTTP is spoken, and where they lead. */
  const plain = new WeakMap<Duplex, Target>();
  const server = createServer({
    insecureHTTPParser: false,
    requireHostHeader: true,
    maxHeaderSize: limits.headerBytes,
    headersTimeout: limits.openingMs,
    // A body may take long; silence ends it.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(CHECK_MS, limits.openingMs),
  });
  // The size bounds them; a number would drop headers that the parser has acted upon from our sight.
  server.maxHeadersCount = 0;
  server.maxConnections = limits.connections;
  // Longer than that of a connection out, which is to be the one that tells of silence.
  server.timeout = 2 * limits.idleMs;
  server.on('connection', (socket: Socket) => {
    if (sockets.has(socket)) return;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    // The end of a client is no error of ours: its `close` ends all that belongs to it.
    socket.on('error', () => undefined);
  });
  server.on('drop', () => void quietly(router.refuse(null, null, 'too_many', 'too many connections')));
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    void answerMalformed(router, error, socket);
  });
  server.on('request', (request, response) => {
    void handle(router, request, response, plain.get(request.socket) ?? null);
  });
  server.on('connect', (request, client, head) => {
    const target = plain.has(client) ? null : parseAuthority(request.url ?? '');
    void openTunnel(router, target, client, head, (opened) => {
      plain.set(client, opened);
      server.emit('connection', client);
      // It was paused while its first bytes were looked at; the parser's listeners do not change that.
      client.resume();
    });
  });
  let isClosed = false;
  return {
    // A listener on its way when its step is killed arrives after that end, and nobody would close it.
    accept: (listener) => void (isClosed ? listener.close() : server.listen(listener)),
    close: async () => {
      isClosed = true;
      await closed(server, sockets);
      await router.close();
    },
  };
}

async function handle(
  router: Router,
  request: IncomingMessage,
  response: ServerResponse,
  inTunnel: Target | null,
): Promise<void> {
  const target =
    inTunnel === null ? parseAbsolute(request.url ?? '') : originForm(request.url ?? '', inTunnel);
  if (target !== null && request.httpVersion === '1.1') {
    await forward(router, target, request, response);
    return;
  }
  const why = 'only HTTP/1.1 requests with an absolute http URL, and CONNECT, go through this proxy';
  refuseRequest(response, await quietly(router.refuse('http', target, 'malformed', why)));
}

function originForm(path: string, target: Target): HttpTarget | null {
  return path.startsWith('/') ? { ...target, path } : null;
}

async function answerMalformed(router: Router, error: NodeJS.ErrnoException, socket: Duplex): Promise<void> {
  // A client that went away has asked for nothing.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const status =
    error.code === 'HPE_HEADER_OVERFLOW' ? 431 : error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 408 : 400;
  await quietly(router.refuse(null, null, status === 431 ? 'too_large' : 'malformed', error.message));
  socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

/** The refusal that was made, or the one that came instead because it could not be recorded. */
async function quietly(refusal: Promise<Refusal>): Promise<Refusal> {
  return await refusal.catch((error: unknown) => {
    if (error instanceof Refusal) return error;
    throw error;
  });
}

async function closed(server: Server, sockets: ReadonlySet<Duplex>): Promise<void> {
  const done = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of sockets) socket.destroy();
  await done;
}
