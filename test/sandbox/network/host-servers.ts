import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import type { TestContext } from 'node:test';

/** Servers of the host, each of which answers whoever comes. */
export async function hostServers(t: TestContext): Promise<{ tcp: number; tcp6: number; udp: number }> {
  const tcp = createServer((socket) => socket.end()).listen(0, '0.0.0.0');
  const tcp6 = createServer((socket) => socket.end()).listen(0, '::1');
  const udp = createSocket('udp4');
  udp.on('message', (query, { port, address }) => udp.send(answerTo(query), port, address));
  udp.bind(0, '127.0.0.1');
  await Promise.all([tcp, tcp6, udp].map((each) => once(each, 'listening')));
  t.after(() => {
    tcp.close();
    tcp6.close();
    udp.close();
  });
  const portOf = (server: Server): number => (server.address() as AddressInfo).port;
  return { tcp: portOf(tcp), tcp6: portOf(tcp6), udp: udp.address().port };
}

/** An A record for whatever a DNS query asks; to anything else the same bytes. */
function answerTo(query: Buffer): Buffer {
  if (query.length < 12) return query;
  const head = Buffer.from(query.subarray(0, 12));
  head.writeUInt16BE(0x8180, 2);
  head.writeUInt16BE(1, 6);
  head.writeUInt32BE(0, 8);
  let end = 12;
  while ((query[end] ?? 0) !== 0) end += 1 + (query[end] ?? 0);
  const question = query.subarray(12, end + 5);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
  return Buffer.concat([head, question, answer]);
}
