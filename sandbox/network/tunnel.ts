import type { Duplex } from 'node:stream';
import { type Opening, readClientHello } from './client-hello.ts';
import { isSameHost, normaliseHost } from './host.ts';
import { Refusal, type Route, type Router } from './router.ts';
import type { Target } from './target.ts';

const ESTABLISHED = 'HTTP/1.1 200 Connection Established\r\n\r\n';
const HANDSHAKE_RECORD = 22;

/**
 * Answers CONNECT: TLS to the host that was asked for goes through untouched. `speakHttp` gets the client back, as if
 * it had just come, when it does not begin with TLS. Null as target: what was asked for is none. Never rejects.
 */
export async function openTunnel(
  router: Router,
  target: Target | null,
  client: Duplex,
  head: Buffer,
  speakHttp: (target: Target) => void,
): Promise<void> {
  let route: Route | null = null;
  try {
    // The HTTP server has taken its listeners off; without one an error of the client would be ours.
    client.on('error', () => undefined);
    if (target === null) throw await router.refuse('connect', null, 'malformed', 'CONNECT needs host:port');
    route = await router.open('connect', target);
    if (client.destroyed) {
      route.socket.destroy();
      return;
    }
    client.write(ESTABLISHED);
    const { bytes, opening } = await readOpening(client, head, router.limits.openingMs);
    if (opening.kind === 'hello') {
      const name = opening.name === null ? target.host : normaliseHost(opening.name);
      if (name === null || !isSameHost(name, target.host)) route.cut('name_differs');
      else return join(client, bytes, route);
    } else if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) {
      // Each request will be judged, and get a connection of its own.
      route.socket.destroy();
      client.unshift(bytes);
      speakHttp(target);
      return;
    } else route.cut(bytes.length === 0 ? 'broken' : 'malformed');
    client.destroy();
  } catch (error) {
    route?.socket.destroy();
    answer(client, error instanceof Refusal ? error : null);
  }
}

/** Reads as much as it takes to say what this is: too little at the end or after the time stays `more`. */
async function readOpening(
  client: Duplex,
  head: Buffer,
  boundMs: number,
): Promise<{ bytes: Buffer; opening: Opening }> {
  const chunks = [head];
  let size = head.length;
  let opening: Opening = readClientHello(head);
  const done = Promise.withResolvers<void>();
  const take = (chunk: Buffer): void => {
    chunks.push(chunk);
    size += chunk.length;
    if (opening.kind === 'more' && size >= opening.bytes) opening = readClientHello(Buffer.concat(chunks));
    if (opening.kind !== 'more') done.resolve();
  };
  const stop = (): void => done.resolve();
  const timer = setTimeout(stop, boundMs);
  if (opening.kind === 'more') client.on('data', take).once('end', stop).once('close', stop);
  else stop();
  await done.promise;
  clearTimeout(timer);
  client.pause();
  client.off('data', take).off('end', stop).off('close', stop);
  return { bytes: Buffer.concat(chunks), opening };
}

/** Joins the two until both sides have ended: one may end its side before the other. */
function join(client: Duplex, bytes: Buffer, { socket }: Route): void {
  client.once('close', () => {
    if (!socket.writableEnded) socket.destroy();
  });
  client.once('error', () => socket.destroy());
  socket.once('close', () => {
    // What it said last may still be on its way to the client.
    if (!client.writableEnded) client.destroy();
  });
  socket.once('error', () => client.destroy());
  socket.write(bytes);
  client.pipe(socket);
  socket.pipe(client);
}

function answer(client: Duplex, refusal: Refusal | null): void {
  if (client.destroyed) return;
  const text = `q-workflow: ${refusal?.message ?? 'the tunnel broke'}\n`;
  const reason = refusal?.reason ?? 'broken';
  client.end(
    `HTTP/1.1 ${refusal?.status ?? 502} Refused\r\nContent-Type: text/plain; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nX-Q-Workflow-Reason: ${reason}\r\nConnection: close\r\n\r\n${text}`,
  );
}
