import { textArgument } from '../arguments.ts';
import { fetchFault } from './fetch-fault.ts';
import { MAX_TEXT_BYTES, type RunnerRequest, type RunnerResult } from './request.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
/** Of the headers that came. */
const SHOWN = ['content-type', 'content-length', 'location', 'last-modified', 'etag', 'retry-after'];

/** http_fetch: one request, through the proxy of the sandbox where there is one. Redirects are answered, not followed. */
export async function httpFetch({ args }: RunnerRequest): Promise<RunnerResult> {
  const url = textArgument(args, 'url');
  if (!/^https?:\/\//i.test(url)) throw new Error('the url must begin with http:// or https://');
  const method = textArgument(args, 'method', 'GET').toUpperCase();
  if (!METHODS.includes(method)) throw new Error(`the method must be one of ${METHODS.join(', ')}`);
  const headers = Object.entries(args['headers'] ?? {}).map(([name, value]): [string, string] => [
    name,
    String(value),
  ]);
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      redirect: 'manual',
      ...(args['body'] === undefined ? {} : { body: textArgument(args, 'body') }),
    });
  } catch (error) {
    throw new Error(`${url} cannot be reached: ${fetchFault(error, process.env)}`, { cause: error });
  }
  const { text, bytes } = await bodyOf(response);
  const shown = SHOWN.flatMap((name) => {
    const value = response.headers.get(name);
    return value === null ? [] : [`${name}: ${value}`];
  });
  return {
    isError: response.status >= 400,
    text: [`HTTP ${response.status}`, ...shown, '', text].join('\n'),
    bytes,
  };
}

/** The beginning of the body; the rest is counted by nobody and not read. */
async function bodyOf(response: Response): Promise<{ text: string; bytes: number }> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_TEXT_BYTES) break;
  }
  const isCut = bytes > MAX_TEXT_BYTES;
  const text = new TextDecoder().decode(Buffer.concat(parts).subarray(0, MAX_TEXT_BYTES), { stream: isCut });
  return { text: isCut ? `${text}\n[… the rest was not read …]` : text, bytes };
}
