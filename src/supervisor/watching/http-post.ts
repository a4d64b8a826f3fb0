import { ensureError, systemCode } from '../../errors/workflow-error.ts';

export interface Post {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** What came of it. `why` names the host at most: path and headers may be secrets. */
export type PostOutcome =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly why: string; readonly isFinal: boolean };

/** Asked to wait, or in trouble of its own. Everything else below 500 would be the same the next time. */
const WORTH_ANOTHER_TRY = [408, 425, 429];

/**
 * Sends JSON by POST on a connection of its own, with a bound for the whole of it. A redirect is not followed: it would
 * take body and headers to an address that nobody named. Never rejects.
 */
export async function postJson({ url, headers, body, timeoutMs, signal }: Post): Promise<PostOutcome> {
  // Most supervisors send nothing, and TLS takes megabytes.
  const { request: send } = await (url.protocol === 'https:' ? import('node:https') : import('node:http'));
  return new Promise((resolve) => {
    const bound = AbortSignal.timeout(timeoutMs);
    const failed = (why: string, isFinal = false): void =>
      resolve({ kind: 'failed', why: `${url.host}: ${why}`, isFinal });
    try {
      const request = send(url, {
        method: 'POST',
        agent: false,
        signal: AbortSignal.any([bound, signal]),
        headers: {
          'user-agent': 'q-workflow',
          ...headers,
          'content-type': 'application/json',
          'content-length': Buffer.byteLength(body),
        },
      });
      request.on('error', (error) => {
        if (bound.aborted) failed(`no answer within ${timeoutMs / 1000} s`);
        else failed(signal.aborted ? 'it was called off' : (systemCode(error) ?? 'the connection broke'));
      });
      request.on('response', (response) => {
        const status = response.statusCode ?? 0;
        // Nobody reads what it says, however much that is.
        response.on('error', () => undefined);
        response.destroy();
        if (status >= 200 && status < 300) resolve({ kind: 'done' });
        else if (status >= 300 && status < 400) failed(`redirects are refused (${status})`, true);
        else failed(`status ${status}`, status < 500 && !WORTH_ANOTHER_TRY.includes(status));
      });
      request.end(body);
    } catch (error) {
      // A header that is none: the message of Node names the header, not its value.
      failed(systemCode(error) ?? ensureError(error).name, true);
    }
  });
}
