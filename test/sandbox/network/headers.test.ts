import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { requestHeaders, responseHeaders } from '../../../sandbox/network/headers.ts';
import type { Target } from '../../../sandbox/network/target.ts';

const TARGET: Target = { host: { kind: 'name', name: 'a.example' }, port: 80 };

function sent(raw: readonly string[], method = 'GET', target = TARGET): string[] | string {
  const made = requestHeaders(method, raw, target);
  return made.kind === 'headers' ? made.headers : made.reason;
}

describe('headers of a request', () => {
  test('Host is the target’s, once', () => {
    const good = ['Host', 'a.example', 'Connection', 'close'];
    assert.deepEqual(sent(['Host', 'A.example.:80']), good);
    assert.deepEqual(sent(['hOsT', ' a.example ']), good);
    assert.deepEqual(
      sent(['Host', '0x7f.1:81'], 'GET', { host: { kind: 'address', address: '127.0.0.1' }, port: 81 }),
      ['Host', '127.0.0.1:81', 'Connection', 'close'],
    );
    for (const hosts of [
      [],
      ['Host', 'b.example'],
      ['Host', 'a.example:81'],
      ['Host', ''],
      ['Host', 'a.example', 'Host', 'a.example'],
      ['Host', 'a.example', 'host', 'b.example'],
      ['Host', 'a.example, b.example'],
      ['Host', 'b.example@a.example'],
    ])
      assert.equal(sent(hosts), 'host_differs', String(hosts));
  });

  test('nothing of this connection and nothing for a proxy goes on', () => {
    const raw = [
      ['Host', 'a.example'],
      ['Proxy-Authorization', 'Basic x'],
      ['Proxy-Connection', 'keep-alive'],
      ['Connection', 'keep-alive, X-Secret'],
      ['connection', 'Upgrade'],
      ['Keep-Alive', 'timeout=5'],
      ['X-Secret', '1'],
      ['Upgrade', 'websocket'],
      ['TE', 'trailers'],
      ['Trailer', 'X'],
      ['Expect', '100-continue'],
      ['HTTP2-Settings', 'x'],
      ['Accept', '*/*'],
      ['Cookie', 'a=1'],
      ['Cookie', 'b=2'],
    ].flat();
    assert.deepEqual(sent(raw), [
      'Host',
      'a.example',
      'Accept',
      '*/*',
      'Cookie',
      'a=1',
      'Cookie',
      'b=2',
      'Connection',
      'close',
    ]);
  });

  test('a body has one length, said in one way', () => {
    const framing = (more: readonly string[], method = 'POST'): string | string[] => {
      const headers = sent(['Host', 'a.example', ...more], method);
      return typeof headers === 'string' ? headers : headers.slice(2, -2);
    };
    assert.deepEqual(framing(['Content-Length', '5']), ['Content-Length', '5']);
    assert.deepEqual(framing(['Transfer-Encoding', 'Chunked']), ['Transfer-Encoding', 'chunked']);
    assert.deepEqual(framing([]), ['Content-Length', '0']);
    assert.deepEqual(framing([], 'GET'), []);
    // Connection cannot take the length away.
    assert.deepEqual(framing(['Connection', 'content-length', 'Content-Length', '5']), [
      'Content-Length',
      '5',
    ]);
    for (const more of [
      ['Content-Length', '5', 'Content-Length', '5'],
      ['Content-Length', '5', 'Content-Length', '6'],
      ['Content-Length', '5', 'Transfer-Encoding', 'chunked'],
      ['Content-Length', '5, 5'],
      ['Content-Length', '+5'],
      ['Content-Length', '0x5'],
      ['Content-Length', ''],
      ['Transfer-Encoding', 'gzip, chunked'],
      ['Transfer-Encoding', 'identity'],
      ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'chunked'],
      ['Transfer-Encoding', 'chunked', 'Transfer-Encoding', 'identity'],
      ['Transfer-Encoding', 'xchunked'],
    ])
      assert.equal(framing(more), 'framing', String(more));
  });

  test('whatever comes, one Host and at most one length go on', () => {
    const name = fc.constantFrom(
      'Host',
      'host',
      'Content-Length',
      'transfer-encoding',
      'Connection',
      'Proxy-X',
      'X',
    );
    const value = fc.constantFrom(
      'a.example',
      'b.example',
      '5',
      '05',
      'chunked',
      'Host',
      'content-length',
      'x',
    );
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value), { maxLength: 8 }),
        fc.constantFrom('GET', 'PUT'),
        (raw, method) => {
          const headers = sent(raw.flat(), method);
          if (typeof headers === 'string') return;
          const names = headers.filter((_, index) => index % 2 === 0).map((each) => each.toLowerCase());
          assert.equal(names.filter((each) => each === 'host').length, 1);
          assert.equal(headers[1], 'a.example');
          assert.ok(
            names.filter((each) => each === 'content-length' || each === 'transfer-encoding').length <= 1,
          );
          assert.ok(!names.some((each) => each.startsWith('proxy-')));
        },
      ),
    );
  });
});

test('an answer goes back without what is of its connection', () => {
  const raw = [
    ['Content-Type', 'text/plain'],
    ['Transfer-Encoding', 'chunked'],
    ['Connection', 'X-Hop'],
    ['X-Hop', '1'],
    ['Proxy-Authenticate', 'Basic'],
    ['Set-Cookie', 'a=1'],
    ['Set-Cookie', 'b=2'],
  ].flat();
  assert.deepEqual(responseHeaders(raw), [
    'Content-Type',
    'text/plain',
    'Set-Cookie',
    'a=1',
    'Set-Cookie',
    'b=2',
  ]);
  assert.deepEqual(responseHeaders(['Content-Length', '3', 'Connection', 'content-length']), [
    'Content-Length',
    '3',
  ]);
});
