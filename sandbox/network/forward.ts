import { type ClientRequest, type IncomingMessage, type ServerResponse, request as send } from 'node:http';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { requestHeaders, responseHeaders } from './headers.ts';
import { Refusal, type Route, type Router } from './router.ts';
import type { HttpTarget } from './target.ts';

/**
 * Sends one request on over a connection of its own and its answer back. Both are parsed and written anew, so that
 * nothing in them can be taken for the beginning of another. Never rejects.
 */
export async function forward(
  router: Router,
  target: HttpTarget,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.sendDate = false;
  let route: Route | null = null;
  try {
    const { method = 'GET' } = request;
    const made = requestHeaders(method, request.rawHeaders, target);
    if (made.kind === 'refused') {
      const why =
        made.reason === 'framing' ? 'the length of the body is not clear' : 'Host is not that of the URL';
      throw await router.refuse('http', target, made.reason, why);
    }
    route = await router.open('http', target);
    const { socket } = route;
    if (response.destroyed) {
      socket.destroy();
      return;
    }
    const onward = send({
      createConnection: () => socket,
      method,
      path: target.path,
      headers: made.headers,
      setHost: false,
      insecureHTTPParser: false,
      maxHeaderSize: 2 * router.limits.headerBytes,
    });
    response.once('close', () => onward.destroy());
    const fault = sendBody(request, onward, router, route);
    try {
      await sendAnswer(onward, response);
    } catch (error) {
      throw (await fault) ?? error;
    }
  } catch (error) {
    refuseRequest(response, error instanceof Refusal ? error : null);
  } finally {
    route?.socket.destroy();
  }
}

/** Answers with the reason; where an answer has begun, it is cut. */
export function refuseRequest(response: ServerResponse, refusal: Refusal | null): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const text = `q-workflow: ${refusal?.message ?? 'the server broke off'}\n`;
  response.writeHead(refusal?.status ?? 502, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
    'X-Q-Workflow-Reason': refusal?.reason ?? 'broken',
    // What is left of the request's body is not read.
    Connection: 'close',
  });
  response.end(text);
}

/** Answers what was wrong with the body. A server may answer and end before it has read all of it: that is no fault. */
async function sendBody(
  request: IncomingMessage,
  onward: ClientRequest,
  router: Router,
  route: Route,
): Promise<Refusal | null> {
  let left = router.limits.bodyBytes;
  const meter = new Transform({
    transform: (chunk: Buffer, _encoding, next) => {
      left -= chunk.length;
      if (left >= 0) next(null, chunk);
      else {
        route.cut('too_large');
        next(new Refusal('too_large', 413, 'the body is too large'));
      }
    },
  });
  return await pipeline(request, meter, onward).then(
    () => null,
    (error: unknown) => (error instanceof Refusal ? error : null),
  );
}

async function sendAnswer(onward: ClientRequest, response: ServerResponse): Promise<void> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    onward.once('response', resolve);
    onward.once('error', reject);
    onward.once('close', () => reject(new Error('no answer')));
  });
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, responseHeaders(answer.rawHeaders));
  await pipeline(answer, response);
}
