/** A provider of models that plays a script over HTTP, in three dialects, and records what it was asked. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { cut, seededRandom } from './chunks.ts';
import type { MockTurn, Scenario } from './scenario.ts';
import { CHAT, CONVERSE, MESSAGES, type Wire } from './wires.ts';

export interface MockRequest {
  readonly at: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
  /** The other side closed the connection before the answer was whole. */
  wasAborted: boolean;
}

/** Turns in a row, or what the request itself asks for: the same request is then answered alike however often it comes. */
export type Script = Scenario | ((body: unknown) => MockTurn);

export interface MockProvider {
  readonly url: string;
  readonly requests: readonly MockRequest[];
  /** Plays another script from now on. */
  play(script: Script): void;
  /** Resolves when that many requests have come. */
  whenAsked(count: number): Promise<void>;
  close(): Promise<void>;
}

export async function startMockProvider(first: Script, port = 0): Promise<MockProvider> {
  const requests: MockRequest[] = [];
  const waiters: { count: number; resolve: () => void }[] = [];
  let script = first;
  let next = 0;
  let random = randomOf(first);

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const text = await readBody(request);
    const path = request.url ?? '/';
    const body: unknown = text === '' ? null : JSON.parse(text);
    const asked = { at: Date.now(), path, headers: request.headers, body, wasAborted: false };
    requests.push(asked);
    response.on('close', () => {
      asked.wasAborted = !response.writableFinished;
    });
    for (const waiter of waiters) if (requests.length >= waiter.count) waiter.resolve();
    const wire = wireOf(path);
    const isOver = typeof script !== 'function' && next >= script.turns.length && script.after === 'fail';
    const turn =
      typeof script === 'function' ? script(body) : script.turns[Math.min(next, script.turns.length - 1)];
    next += 1;
    if (wire === null || turn === undefined || isOver) {
      response.writeHead(isOver ? 500 : 404, { 'content-type': 'application/json' });
      response.end(CHAT.error(isOver ? 500 : 404));
      return;
    }
    await answer(response, wire, turn, next, random);
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address();
  const actual = typeof address === 'object' && address !== null ? address.port : port;
  return {
    url: `http://127.0.0.1:${actual}`,
    requests,
    play: (other) => {
      script = other;
      next = 0;
      random = randomOf(other);
    },
    whenAsked: (count) =>
      requests.length >= count
        ? Promise.resolve()
        : new Promise((resolve) => {
            waiters.push({ count, resolve });
          }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function randomOf(script: Script): () => number {
  return seededRandom((typeof script === 'function' ? undefined : script.seed) ?? 1);
}

function wireOf(path: string): Wire | null {
  if (path.endsWith('/chat/completions')) return CHAT;
  if (path.endsWith('/messages')) return MESSAGES;
  return path.endsWith('/converse-stream') ? CONVERSE : null;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString('utf8');
}

async function answer(
  response: ServerResponse,
  wire: Wire,
  turn: MockTurn,
  number: number,
  random: () => number,
): Promise<void> {
  const { fault } = turn;
  if (fault?.kind === 'hang_before_headers') return;
  if (fault?.kind === 'status') {
    response.writeHead(fault.status, {
      'content-type': 'application/json',
      ...(fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }),
    });
    response.end(wire.error(fault.status, fault.message));
    return;
  }
  const bytes = Buffer.concat(faulty(wire, turn, number));
  if (fault?.kind === 'broken') {
    response.writeHead(200, { 'content-type': wire.contentType, 'content-length': bytes.length });
    response.flushHeaders();
    response.socket?.end(bytes.subarray(0, fault.afterBytes));
    return;
  }
  response.writeHead(200, { 'content-type': wire.contentType });
  const isHalf = fault?.kind === 'hang_midway' || fault?.kind === 'reset' || fault?.kind === 'truncated';
  await send(response, isHalf ? bytes.subarray(0, Math.floor(bytes.length / 2)) : bytes, turn, random);
  if (fault?.kind === 'hang_midway') return;
  if (fault?.kind === 'reset') response.socket?.resetAndDestroy();
  else response.end();
}

function faulty(wire: Wire, turn: MockTurn, number: number): Buffer[] {
  const events = wire.events(turn, number);
  const middle = Math.floor(events.length / 2);
  const [first] = events;
  if (turn.fault?.kind === 'corrupt')
    return [...events.slice(0, middle), wire.corrupt(), ...events.slice(middle)];
  if (turn.fault?.kind === 'duplicated_start' && first !== undefined) return [first, ...events];
  return events;
}

/** Piece by piece, each in a packet of its own as far as the system lets us. */
async function send(
  response: ServerResponse,
  bytes: Buffer,
  turn: MockTurn,
  random: () => number,
): Promise<void> {
  const isSlow = turn.fault?.kind === 'slow' ? turn.fault.bytesPerSecond : null;
  const pieces = isSlow === null ? cut(bytes, random) : [...bytes].map((byte) => Buffer.from([byte]));
  for (const piece of pieces) {
    if (response.destroyed) return;
    response.write(piece);
    await new Promise<void>((resolve) => {
      if (isSlow === null) setImmediate(resolve);
      else setTimeout(resolve, 1000 / isSlow);
    });
  }
}
