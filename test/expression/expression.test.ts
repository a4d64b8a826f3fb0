import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/definition/workflow.ts';
import {
  type Bindings,
  compileExpression,
  loadExpressions,
  type Scope,
} from '../../src/expression/expression.ts';

await loadExpressions(['re(x)']);

const mutable: JsonObject = { counter: 3, both: 'mutable' };
const readonly: JsonObject = { env: 'prod', list: [1, 2, 3], item: { id: 7 } };
const inputs: JsonObject = { n: 7, x: 2.5 };
const results: Readonly<Record<string, Json>> = {
  'fetch-data': { status: 200, items: [{ name: 'a' }], 'content-type': 'json', branches: { left: null } },
  loop: { n: 1 },
  skipped: null,
};
const scope: Scope = {
  stepIds: new Set(['fetch-data', 'loop', 'skipped', 'later']),
  names: new Set([...Object.keys(mutable), ...Object.keys(readonly), ...Object.keys(inputs)]),
  mutable: new Set(Object.keys(mutable)),
  readonly: new Set(Object.keys(readonly)),
  inputs: new Set(Object.keys(inputs)),
};
const bindings: Bindings = {
  iteration: 2,
  mutable,
  readonly,
  inputs,
  steps: (id) => (Object.hasOwn(results, id) ? results[id] : undefined),
  error: { code: 'STEP_TIMEOUT', attempts: 3 },
};
const value = (source: string): Json => compileExpression(source, scope).evaluate(bindings);

const answers: readonly (readonly [string, Json])[] = [
  ['fetch-data.status == 200', true],
  ['fetch-data.items[0].name', 'a'],
  ['fetch-data["content-type"]', 'json'],
  ['loop.n + 1', 2],
  ['counter < 5', true],
  ['counter + 1 == 4.0', true],
  ['x * 2 == 5', true],
  ['7 / 2', 3.5],
  ['n / 2', 3.5],
  ['int(n / 2)', 3],
  ['-7 % 3', -1],
  ['context.counter + context.mutable.counter + inputs.n', 13],
  ['context.readonly.env', 'prod'],
  ['iteration', 2],
  ['error.code == "STEP_TIMEOUT" && error.attempts == 3', true],
  ['"a" == 1', false],
  ['null == false', false],
  ['[1, 2] == [1.0, 2]', true],
  ['{"a": 1} == {"a": 1.0}', true],
  ['2 in list && "id" in item', true],
  ['list.map(v, v * 2)', [2, 4, 6]],
  ['list.filter(v, v > 1).size()', 2],
  ['list.all(v, v > 0) && list.exists(v, v == 3) && list.exists_one(v, v == 1)', true],
  ['has(item.id) && !has(item.nope) && !has(skipped.x)', true],
  ['skipped.status == 200', false],
  ['skipped == null', true],
  [`skipped${'.a'.repeat(28)}`, null],
  ['skipped["a"].b[0] == null', true],
  ['fetch-data.branches.left.status', null],
  ['1 / 0 > 1 || true', true],
  ['false && 1 / 0 > 1', false],
  ['env == "prod" ? "yes" : "no"', 'yes'],
  ['re(env, "^p.o")', true],
  ['env.re("x$")', false],
  ['"a,b".split(",").join("-")', 'a-b'],
  ['string(7.0) + string(true)', '7true'],
  ['double("2.5") + int("3")', 5.5],
  ['type(list)', 'list'],
  ['"ÄBc".lowerAscii()', 'Äbc'],
  ['"abc".substring(1, 2) + string("é".size())', 'b1'],
];

for (const [source, expected] of answers) {
  test(`${source} is ${JSON.stringify(expected)}`, () => {
    assert.deepEqual(value(source), expected);
  });
}

const refusals: readonly (readonly [string, number, string])[] = [
  ['cuonter < 5', 1, 'unknown name "cuonter"; did you mean "counter"?'],
  ['1 + fetch-dat.status', 5, 'unknown name "fetch-dat"; did you mean "fetch-data"?'],
  ['context.envv', 9, 'context has no "envv"; did you mean "env"?'],
  ['steps["fetch-dat"].x', 1, 'unknown step "fetch-dat"; did you mean "fetch-data"?'],
  ['steps[env]', 1, '"steps" needs the id of a step: steps["the-id"]'],
  ['env.matches("a")', 1, 'there is no function matches(); did you mean "re(text, pattern)"?'],
  ['matches(env, "a")', 1, 'there is no function matches(); did you mean "re(text, pattern)"?'],
  ['counter = 3', 9, 'unexpected "="; equality is written =='],
  ['1 +', 4, 'the expression ends too early'],
  ['9007199254740993', 1, '9007199254740993 is too large to be exact as a JSON number'],
  ['b"x"', 1, 'bytes (b"…") have no JSON form'],
  ['__proto__', 1, 'names that begin with __ are not allowed: "__proto__"'],
  ['re(env, "(")', 9, 'the regex "(" is not valid: error parsing regexp: missing closing ): `(`'],
  ['', 1, 'the expression is empty'],
  ['${{ counter < 5 }}', 1, 'an expression stands without ${{ }}: that is for texts of inputs'],
  ['counter + ${{ n }}', 11, 'an expression stands without ${{ }}: that is for texts of inputs'],
  ['fetch-data.in', 12, 'a field called "in" is written ["in"]'],
  ['list.all(loop, loop > 0)', 10, 'all() needs a name for each element, one that no step has'],
  ['x'.repeat(4097), 1, 'the expression has 4097 characters, at most 4096 are allowed'],
  [
    '[1].map(a, [2].map(b, [3].map(c, c)))',
    23,
    'map() lies inside more than 1 other macro; at most 2 may be nested',
  ],
];

for (const [source, column, message] of refusals) {
  test(`${source.slice(0, 40)} does not compile`, () => {
    assert.throws(() => compileExpression(source, scope), {
      name: 'ExpressionError',
      message,
      column,
      source,
    });
  });
}

const failures: readonly (readonly [string, number, string])[] = [
  ['fetch-data.stauts', 12, 'no such field: "stauts"; did you mean "status"?'],
  ['fetch-data.__proto__', 12, 'no such field: "__proto__"'],
  ['fetch-data.constructor', 12, 'no such field: "constructor"'],
  ['later.x', 1, 'step "later" has no result yet'],
  ['list[5]', 6, 'index 5 is not in a list of 3'],
  ['1 + "a"', 1, 'cannot compute number + string'],
  ['env < 1', 1, 'cannot compare string < number'],
  ['counter / 0', 1, 'division by zero'],
  ['list.map(v, list + list)', 13, 'lists cannot be joined with + inside map, filter, all or exists'],
];

for (const [source, column, message] of failures) {
  test(`${source} fails when it is evaluated`, () => {
    assert.throws(() => value(source), { name: 'ExpressionError', message, column });
  });
}

test('a condition must be a bool', () => {
  const expression = compileExpression('counter', scope);
  assert.throws(() => expression.test(bindings), {
    name: 'ExpressionError',
    message: 'a condition must be true or false, this one is a number',
  });
});

const neverBool: readonly (readonly [string, number, string])[] = [
  ['1', 1, 'a number'],
  ['"true"', 1, 'a string'],
  ['null', 1, 'a null'],
  ['counter + 1', 1, 'no bool'],
  ['2 * counter', 1, 'a number'],
  ['-counter', 1, 'a number'],
  ['[true]', 1, 'a list'],
  ['{"a": true}', 1, 'a map'],
  ['size(list)', 1, 'a number'],
  ['list.size()', 1, 'a number'],
  ['env.trim()', 1, 'a string'],
  ['list.filter(v, v > 1)', 1, 'a list'],
  ['counter > 1 ? 1 : "x"', 15, 'a number'],
];

for (const [source, column, kind] of neverBool) {
  test(`${source} can be no condition`, () => {
    const expression = compileExpression(source, scope);
    assert.throws(() => expression.assertCondition(), {
      name: 'ExpressionError',
      message: `a condition must be true or false, this one is ${kind}`,
      column,
      source,
    });
  });
}

test('what may be a bool can be a condition', () => {
  const sources = ['counter', 'env', 'fetch-data.ok', 'true', '!(counter > 1)', 'counter > 1 && env == "x"'];
  const calls = ['has(item.id)', 're(env, "p")', 'env.contains("x")', 'list.all(v, v > 1)', 'bool("true")'];
  for (const source of [...sources, ...calls, 'env == "x" ? counter : 1', '1 in list', 'dyn(1)'])
    compileExpression(source, scope).assertCondition();
});

test('references name steps, context and input names and iteration', () => {
  const source = 'fetch-data.a == n && context.env == "x" && iteration < 3 && list.all(v, v == counter)';
  assert.deepEqual(compileExpression(source, scope).references, [
    'fetch-data',
    'n',
    'env',
    'iteration',
    'list',
    'counter',
  ]);
});

test('mutable wins over readonly, and both over inputs', () => {
  const names = new Set(['v']);
  const evaluate = (parts: Partial<Bindings>): Json =>
    compileExpression('v', { stepIds: new Set(), names }).evaluate({
      ...bindings,
      mutable: {},
      readonly: {},
      inputs: { v: 3 },
      ...parts,
    });
  assert.equal(evaluate({}), 3);
  assert.equal(evaluate({ readonly: { v: 2 } }), 2);
  assert.equal(evaluate({ readonly: { v: 2 }, mutable: { v: 1 } }), 1);
});

test('numbers and other JSON pass through unchanged', () => {
  const names = { stepIds: new Set<string>(), names: new Set(['v']) };
  const expression = compileExpression('v', names);
  const same = compileExpression('v == v && [v] == [v]', names);
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (raw) => {
      const json: Json = JSON.parse(JSON.stringify(raw));
      const bound = { ...bindings, mutable: { v: json } };
      assert.deepEqual(expression.evaluate(bound), json);
      assert.equal(same.evaluate(bound), true);
    }),
  );
});

test('arithmetic is that of JSON numbers, however they are written', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: 1, max: 1000 }), (a, b) => {
      for (const [left, right] of [
        [`${a}`, `${b}`],
        [`${a}.0`, `${b}`],
        [`${a}`, `${b}.0`],
      ]) {
        assert.equal(value(`${left} + ${right}`), a + b);
        assert.equal(value(`${left} / ${right}`), a / b === 0 ? 0 : a / b);
        assert.equal(value(`${left} < ${right}`), a < b);
        assert.equal(value(`${left} == ${right}`), a === b);
      }
    }),
  );
});
