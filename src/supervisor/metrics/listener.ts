import { createServer, type Server } from 'node:http';
import { isLoopback, type MetricsAddress } from './metrics-address.ts';
import { PROMETHEUS_TYPE } from './prometheus-text.ts';

const MAX_CONNECTIONS = 16;

/**
 * Serves GET /metrics on a loopback address: whoever is on this machine may read it. A request that was made for
 * another name (a web page whose name was pointed here) is refused.
 */
export function serveMetrics({ host, port }: MetricsAddress, text: () => Promise<string>): Promise<Server> {
  const server = createServer((request, response) => {
    const answer = (status: number, body: string, type = 'text/plain'): void => {
      response.writeHead(status, { 'content-type': type }).end(body);
    };
    if (!isLoopback(withPort(request.headers.host ?? ''))) answer(403, 'not for that name\n');
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
