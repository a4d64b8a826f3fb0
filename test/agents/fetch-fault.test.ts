import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fetchFault } from '../../src/agents/runner/fetch-fault.ts';

const fetchFailed = (...messages: readonly string[]): Error =>
  messages.reduceRight<Error | undefined>((cause, message) => new Error(message, { cause }), undefined) ??
  assert.fail('no message');

test('a refusal of the proxy is told as what it is, everything else by its own last word', () => {
  const proxy = { HTTP_PROXY: 'http://127.0.0.1:3128' };
  const refused = fetchFailed(
    'fetch failed',
    'Request was cancelled.',
    'Proxy response (403) !== 200 when HTTP Tunneling',
  );
  assert.equal(
    fetchFault(refused, proxy),
    'the proxy of this step refuses it: no policy opens this host to this tool',
  );
  assert.equal(fetchFault(refused, {}), 'Proxy response (403) !== 200 when HTTP Tunneling');
  const other = 'Proxy response (502) !== 200 when HTTP Tunneling';
  assert.equal(fetchFault(fetchFailed('fetch failed', 'Request was cancelled.', other), proxy), other);
  assert.equal(fetchFault(fetchFailed('fetch failed', 'other side closed'), proxy), 'other side closed');
});

test('without a proxy and a network it says that there is none', () => {
  const unreachable = Object.assign(new Error('connect ENETUNREACH 8.8.8.8:443'), { code: 'ENETUNREACH' });
  const failed = new TypeError('fetch failed', { cause: unreachable });
  assert.equal(
    fetchFault(failed, {}),
    'there is no network here: no policy opens a host to this tool (ENETUNREACH)',
  );
  assert.equal(fetchFault(failed, { HTTP_PROXY: 'x' }), 'connect ENETUNREACH 8.8.8.8:443');
});

test('causes that lead in a circle end', () => {
  const [a, b] = [new Error('a'), new Error('b')];
  Object.assign(a, { cause: b });
  Object.assign(b, { cause: a });
  assert.match(fetchFault(a, {}), /^[ab]$/);
});
