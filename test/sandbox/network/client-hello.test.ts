import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { readClientHello } from '../../../sandbox/network/client-hello.ts';
import { extension, helloMessage, realHello, records, serverNames, vector } from './hello.ts';

const hello = (name: string | null) => ({ kind: 'hello', name });
const OTHER = { kind: 'other' };

describe('the first bytes of a tunnel', () => {
  test('a real hello tells its name, whole or byte by byte', async () => {
    const bytes = await realHello('api.example.com');
    assert.deepEqual(readClientHello(bytes), hello('api.example.com'));
    assert.deepEqual(readClientHello(await realHello(null)), hello(null));
    for (let count = 0; count < bytes.length; count += 1) {
      const opening = readClientHello(bytes.subarray(0, count));
      assert.ok(
        opening.kind === 'more' && opening.bytes > count && opening.bytes <= bytes.length,
        String(count),
      );
    }
  });

  test('a hello over several records is one, and what comes after it does not matter', () => {
    const message = helloMessage([extension(0x0a0a, Buffer.alloc(40)), serverNames('a.example')]);
    for (const size of [16, 50, 100, 16_384])
      assert.deepEqual(readClientHello(records(message, size)), hello('a.example'), String(size));
    const followed = Buffer.concat([records(message), Buffer.from([20, 3, 3, 0, 1, 1])]);
    assert.deepEqual(readClientHello(followed), hello('a.example'));
    assert.deepEqual(readClientHello(records(message, 4)), OTHER);
  });

  test('without the extension, or without any, there is no name', () => {
    assert.deepEqual(readClientHello(records(helloMessage([]))), hello(null));
    assert.deepEqual(readClientHello(records(helloMessage(null))), hello(null));
    assert.deepEqual(readClientHello(records(helloMessage([extension(16, Buffer.alloc(3))]))), hello(null));
  });

  test('what could be read as another name is none', () => {
    const cases: Readonly<Record<string, Buffer>> = {
      'two names': records(helloMessage([serverNames('a.example', 'b.example')])),
      'two extensions': records(helloMessage([serverNames('a.example'), serverNames('b.example')])),
      'an empty name': records(helloMessage([serverNames('')])),
      'no name in the list': records(helloMessage([serverNames()])),
      'another type of name': records(helloMessage([extension(0, vector(2, Buffer.from([1, 0, 1, 97])))])),
      'bytes after the list': records(
        helloMessage([extension(0, Buffer.concat([serverNames('a.example').subarray(4), Buffer.from([0])]))]),
      ),
      'bytes after the extensions': records(helloMessage([serverNames('a.example')], Buffer.from([0]))),
      'an extension that is cut': records(helloMessage([serverNames('a.example').subarray(0, -1)])),
      'an empty record first': Buffer.concat([Buffer.from([22, 3, 1, 0, 0]), records(helloMessage([]))]),
      'another record in between': Buffer.concat([
        records(helloMessage([serverNames('a.example')]), 30).subarray(0, 35),
        Buffer.from([21, 3, 1, 0, 2, 1, 0]),
      ]),
      'a server hello': records(Buffer.concat([Buffer.from([2]), helloMessage([]).subarray(1)])),
      'a huge message': Buffer.from([22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff]),
      'a huge record': Buffer.from([22, 3, 1, 0xff, 0xff]),
      'SSL 2': Buffer.from([0x80, 0x2e, 1, 0, 2]),
      HTTP: Buffer.from('GET / HTTP/1.1\r\n'),
      SSH: Buffer.from('SSH-2.0-x\r\n'),
    };
    for (const [name, bytes] of Object.entries(cases)) assert.deepEqual(readClientHello(bytes), OTHER, name);
  });

  test('any bytes end in an answer, and asking for more always means more than there is', () => {
    const almost = fc
      .tuple(fc.uint8Array({ maxLength: 300 }), fc.integer({ min: 1, max: 400 }))
      .map(([body, size]) => records(Buffer.concat([Buffer.from([1]), vector(3, Buffer.from(body))]), size));
    const mutated = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })).map(([at, value]) => {
      const bytes = records(helloMessage([extension(5, Buffer.alloc(9)), serverNames('a.example')]));
      bytes[at % bytes.length] = value;
      return bytes;
    });
    const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(any, almost, mutated), (bytes) => {
        const opening = readClientHello(bytes);
        if (opening.kind === 'more') assert.ok(opening.bytes > bytes.length);
      }),
      { numRuns: 1000 },
    );
  });

  test('a name that is told stands in the bytes', () => {
    fc.assert(
      fc.property(fc.domain(), fc.integer({ min: 30, max: 500 }), (name, size) => {
        assert.deepEqual(readClientHello(records(helloMessage([serverNames(name)]), size)), hello(name));
      }),
    );
  });
});
