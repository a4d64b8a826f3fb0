import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { ExpressionError } from '../../src/expression/expression-error.ts';
import { rewrite } from '../../src/expression/prepass.ts';

const scope = {
  stepIds: new Set(['fetch-data', 'fetch-data-2', 'loop', '2nd', 'a-b-c']),
  names: new Set(['count', 'api-url']),
};
const textOf = (source: string): string => rewrite(source, scope).text;

test('declared ids are rewritten, the longest first', () => {
  assert.equal(textOf('fetch-data.x + fetch-data-2.x'), 'steps["fetch-data"].x + steps["fetch-data-2"].x');
  assert.equal(textOf('loop.n > 1 && 2nd.ok'), 'steps["loop"].n > 1 && steps["2nd"].ok');
  assert.equal(textOf('fetch-data.n-1 + fetch-data-1'), 'steps["fetch-data"].n-1 + steps["fetch-data"]-1');
  assert.equal(textOf('api-url + count'), '__names["api-url"] + count');
});

test('fields, strings, comments and numbers stay', () => {
  for (const source of [
    'x.loop',
    'x . fetch-data',
    '"fetch-data"',
    "'it\\'s loop'",
    '"""loop " loop"""',
    "r'loop' + b'loop' + R\"loop\"",
    '1 // loop',
    '2.5e3 + 0x1f',
    'looping + fetch_data',
  ]) {
    assert.equal(textOf(source), source);
  }
});

test('offsets lead back to the source', () => {
  const { text, sourceOffset } = rewrite('loop.x + loop.y + z', scope);
  assert.equal(sourceOffset(text.indexOf('.y')), 'loop.x + loop.y + z'.indexOf('.y'));
  assert.equal(sourceOffset(text.indexOf('z')), 18);
});

test('a-b is refused when a, b and a-b are all names', () => {
  const names = { stepIds: new Set(['a', 'a-b']), names: new Set(['b']) };
  assert.throws(() => rewrite('1 + a-b', names), {
    name: 'ExpressionError',
    column: 5,
    message:
      '"a-b" may mean the name a-b or a minus b: write "a - b" with spaces for the difference, or steps["a-b"] for the step',
  });
  assert.equal(rewrite('a - b', names).text, 'steps["a"] - b');
});

test('a misspelled hyphenated id is suggested as a whole', () => {
  assert.throws(
    () => rewrite('fetch-dat.x', scope),
    (error) => {
      assert.ok(error instanceof ExpressionError);
      assert.equal(error.suggestion, 'fetch-data');
      return true;
    },
  );
});

test('strings and comments are never changed', () => {
  const text = fc.string({
    unit: fc.constantFrom('loop', 'fetch-data', ' ', '.', '-', '{', '/', '\\\\', "'", '"'),
  });
  fc.assert(
    fc.property(text, (inner) => {
      const quoted = JSON.stringify(inner);
      assert.equal(textOf(quoted), quoted);
      const comment = `1 // ${inner}`;
      assert.equal(textOf(comment), comment);
    }),
  );
});

test('every id of the grammar can be used', () => {
  const id = fc
    .stringMatching(/^[a-z]([a-z0-9-]{0,8}[a-z0-9])?$/)
    .filter((name) => !['in', 'true', 'false', 'null'].includes(name));
  fc.assert(
    fc.property(id, (name) => {
      assert.equal(rewrite(`${name}.x`, { stepIds: new Set([name]) }).text, `steps["${name}"].x`);
    }),
  );
});
