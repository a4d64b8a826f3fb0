/** ClientHellos: real ones of Node's TLS, and made-up ones. */

import { Duplex } from 'node:stream';
import { connect } from 'node:tls';

/** The first flight of a TLS client that asks for this name; none when null. */
export async function realHello(name: string | null): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const wire = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, next) => {
      resolve(chunk);
      next();
    },
  });
  const client = connect({
    socket: wire,
    rejectUnauthorized: false,
    ...(name === null ? {} : { servername: name }),
  });
  client.on('error', () => undefined);
  const hello = await promise;
  client.destroy();
  return hello;
}

export function vector(countBytes: 1 | 2 | 3, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const count = Buffer.alloc(countBytes);
  count.writeUIntBE(content.length, 0, countBytes);
  return Buffer.concat([count, content]);
}

export function extension(type: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.from([type >> 8, type & 0xff]), vector(2, content)]);
}

export function serverNames(...names: readonly string[]): Buffer {
  const entries = names.map((name) =>
    Buffer.concat([Buffer.from([0]), vector(2, Buffer.from(name, 'latin1'))]),
  );
  return extension(0, vector(2, ...entries));
}

/** The message without records; `extensions` null = none at all. */
export function helloMessage(extensions: readonly Buffer[] | null, tail: Buffer = Buffer.alloc(0)): Buffer {
  const body = [
    Buffer.from([3, 3]),
    Buffer.alloc(32, 7),
    vector(1, Buffer.alloc(32, 1)),
    vector(2, Buffer.from([0x13, 0x01])),
    vector(1, Buffer.from([0])),
    ...(extensions === null ? [] : [vector(2, ...extensions)]),
    tail,
  ];
  return Buffer.concat([Buffer.from([1]), vector(3, ...body)]);
}

export function records(message: Buffer, size = 16_384): Buffer {
  const all: Buffer[] = [];
  for (let at = 0; at < message.length; at += size)
    all.push(Buffer.from([22, 3, 1]), vector(2, message.subarray(at, at + size)));
  return Buffer.concat(all);
}
