import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileExpression, ExpressionError, loadExpressions } from '../../src/expression/expression.ts';

await loadExpressions(['re(x)']);

const items = Array.from({ length: 10_000 }, (_, id) => ({ id, name: `name${id}`, ok: id % 2 === 0 }));
const nums = items.map((item) => item.id);
const small = nums.slice(0, 300);
const values = {
  items,
  nums,
  small,
  nested: small.map(() => small.slice(0, 30)),
  long: 'a'.repeat(100_000),
  huge: 'x'.repeat(1_000_000),
};
const scope = { stepIds: new Set<string>(), names: new Set(Object.keys(values)) };
const bindings = { iteration: null, mutable: {}, readonly: values, inputs: {}, steps: () => undefined };

/** The promise is 50 ms; the slack is for code that the compiler has not seen yet. CPU time of this thread. */
const MAX_MS = 100;

const many = (count: number, text: string, by: string): string =>
  Array.from({ length: count }, () => text).join(by);

const hostile: readonly string[] = [
  'items.map(x, items.map(y, y.id))',
  'nested.all(x, nested.all(y, x == y))',
  'nums.all(x, x in nums)',
  'small.map(x, small.map(y, small))',
  'nums.map(x, nums)',
  'nums.map(x, nums) == nums.map(x, nums)',
  'nums.map(x, context)',
  'items.exists(x, x.missing)',
  'items.exists(x, 1 / 0 == 1)',
  'items.all(x, items.exists(y, x.missing))',
  'items.all(x, x.missing || x.gone || true)',
  `items.all(x, ${many(90, 'x.ok==x.ok', '&&')})`,
  `nums.all(x, ${many(140, 'x*x>=0', '&&')})`,
  many(250, 'nums', '+'),
  many(250, 'huge', '+'),
  `[${many(190, 'long.size()', ',')}]`,
  `[${many(190, 'long.trim()', ',')}]`,
  'huge.split("").size()',
  'items.map(x, huge).join("")',
  'items.map(x, huge.indexOf("y"))',
  `long.contains("${'a'.repeat(1500)}b")`,
  `long.contains("b${'a'.repeat(1500)}")`,
  'long.split("aa").map(x, long.split("aa").size())',
  're(long, "(a+)+$")',
  're(long, "(a?){100}b")',
  're(long, "(.*a){20}b")',
  'items.all(x, re(x.name, "^name[0-9]+$"))',
  'items.all(x, re(x.name, x.name))',
  're("a", "((a?){30}){30}")',
  're("a", "(a{1000}){2}")',
  many(60, 're("a","(a{9}){90}")', '||'),
  `${'('.repeat(1000)}1${')'.repeat(1000)}`,
  `${'!'.repeat(2000)}true`,
  `[1]${'[0]'.repeat(500)}`,
  `${'true?'.repeat(200)}1${':1'.repeat(200)}`,
  `${'1?'.repeat(400)}1`,
  many(900, '1', '+'),
  `{${many(150, '"a":nums', ',')}}`,
  'context == context',
];

for (const source of hostile) {
  test(`${source.slice(0, 60)} ends in time`, () => {
    const before = process.threadCpuUsage();
    try {
      JSON.stringify(compileExpression(source, scope).evaluate(bindings));
    } catch (error) {
      assert.ok(error instanceof ExpressionError, String(error));
    }
    const { user, system } = process.threadCpuUsage(before);
    const took = (user + system) / 1000;
    assert.ok(took < MAX_MS, `took ${took.toFixed(0)} ms`);
  });
}

test('useful work over 10,000 elements fits the budget', () => {
  const source = 'items.filter(x, x.ok && x.id > 10 && x.name.startsWith("name")).map(x, x.id).size()';
  assert.equal(compileExpression(source, scope).evaluate(bindings), 4994);
});

test('more than 100,000 elements are refused by that name', () => {
  assert.throws(
    () =>
      compileExpression('items.map(x, items.size() == nums.filter(y, true).size())', scope).evaluate(
        bindings,
      ),
    {
      name: 'ExpressionError',
      message: 'visits more than 100000 elements',
    },
  );
});

test('no cap can be absorbed by || or exists', () => {
  const source = 'nums.exists(x, nums.all(y, true) && false) || true';
  assert.throws(() => compileExpression(source, scope).evaluate(bindings), {
    message: 'visits more than 100000 elements',
  });
});
