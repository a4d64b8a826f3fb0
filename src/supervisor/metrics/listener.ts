import { createServer, type Server } from 'node:http';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { PROMETHEUS_TYPE } from './prometheus-text.ts';

export const METRICS_VARIABLE = 'Q_WORKFLOW_METRICS';

const LOOPBACK = /^(127(?:\.\d{1,3}){3}|\[::1\]|localhost):(\d{1,5})$/;
const MAX_CONNECTIONS = 16;

/** Where to listen, by the variable; null when it is not set. Throws USAGE for what is not this machine alone. */
export function metricsAddress(env: NodeJS.ProcessEnv): { host: string; port: number } | null {
  const value = env[METRICS_VARIABLE] ?? '';
  if (value === '') return null;
  const [, host = '', port = ''] = LOOPBACK.exec(value) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new WorkflowError(
      'USAGE',
      `${METRICS_VARIABLE} is "${value}"; it must be an address of this machine`,
      {
        hint: 'For example 127.0.0.1:9464; unset it to listen nowhere.',
      },
    );
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
}

/**
 * Serves GET /metrics on a loopback address: whoever is on this machine may read it. A request that was made for
 * another name (a web page whose name was pointed here) is refused.
 */
export function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  text: () => Promise<string>,
): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (!LOOPBACK.test(withPort(request.headers.host ?? ''))) answer(403, 'not for that name\n');
    else if (request.method !== 'GET') answer(405, 'GET only\n');
    else if (request.url?.split('?')[0] !== '/metrics') answer(404, 'see /metrics\n');
    else
      text().then(
        (body) => answer(200, body, PROMETHEUS_TYPE),
        () => answer(503, 'not now\n'),
      );
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = 10_000;
  server.headersTimeout = 10_000;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      server.unref();
      resolve(server);
    });
  });
}

function withPort(host: string): string {
  return /:\d+$/.test(host) ? host : `${host}:80`;
}
