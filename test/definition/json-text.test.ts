import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MAX_FILE_BYTES, parseJsonText } from '../../src/definition/json-text.ts';

const messageOf = (text: string): string | undefined => parseJsonText(text).problems[0]?.message;

test('a key given twice is an error with its path', () => {
  const { value, problems } = parseJsonText('{"steps": [{"id": "a"}, {"id": "b", "\\u0069d": "c"}]}');
  assert.notEqual(value, undefined);
  assert.deepEqual(problems, [
    { severity: 'error', path: '$.steps[1].id', message: 'the key "id" is given twice' },
  ]);
});

test('the key __proto__ is refused', () => {
  assert.equal(messageOf('{"a": {"__proto__": 1}}'), 'the key "__proto__" is not allowed');
});

test('a number too large for a number is refused, and a rounded one is told', () => {
  const { problems } = parseJsonText(
    '{"a": [1, 1e400, "1e400"], "b": -9007199254740993, "c": 9007199254740992}',
  );
  assert.deepEqual(problems, [
    { severity: 'error', path: '$.a[1]', message: '1e400 is too large for a number' },
    {
      severity: 'warning',
      path: '$.b',
      message: '-9007199254740993 is rounded to -9007199254740992; write it as text to keep it',
    },
  ]);
  assert.equal(
    parseJsonText('[0.1, 12.25, 1e22, 100000000000000000000, -0, 1.5e-300, 12345]').problems.length,
    0,
  );
});

test('a file over 5 MB is refused, one of exactly 5 MB is read', () => {
  assert.equal(parseJsonText(`"${'x'.repeat(MAX_FILE_BYTES - 2)}"`).problems.length, 0);
  assert.equal(
    messageOf(`"${'x'.repeat(MAX_FILE_BYTES)}"`),
    'the file has 5242882 bytes, at most 5242880 (5 MB) are allowed',
  );
});

test('an empty file and one that ends early say so', () => {
  assert.equal(messageOf(' \n'), 'the file is empty; a JSON object belongs there');
  assert.equal(messageOf('{"a": [1,'), 'not valid JSON: Unexpected end of JSON input (line 1, column 10)');
});

test('JSON without doubled keys gives its value and no problem', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      if (text.includes('__proto__')) return;
      const { value, problems } = parseJsonText(text);
      assert.deepEqual(value, JSON.parse(text));
      assert.deepEqual(
        problems.filter(({ message }) => !message.includes('is rounded to')),
        [],
      );
    }),
  );
});

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', '\\', ',', ':', '1', 'a', '\n') }),
      (text) => {
        parseJsonText(text);
      },
    ),
  );
});

test('the place of a wrong character is exact when V8 gives none', () => {
  assert.equal(messageOf('{"}": x}'), "not valid JSON: Unexpected token 'x' (line 1, column 7)");
  assert.equal(
    messageOf('[1, 2]]'),
    'not valid JSON: Unexpected non-whitespace character after JSON (line 1, column 7)',
  );
  assert.equal(messageOf("{'a': 1}"), 'not valid JSON: texts stand in double quotes (line 1, column 2)');
});

test('what is JSON by habit only is called by its name', () => {
  for (const [text, message] of [
    ['// a\n{}', 'not valid JSON: JSON has no comments (line 1, column 1)'],
    ['{"a": 1, /* b */ "c": 2}', 'not valid JSON: JSON has no comments (line 1, column 10)'],
    ['{"a": 1\n# b\n}', 'not valid JSON: JSON has no comments (line 2, column 1)'],
    ['{"a": [1, 2,\n]}', 'not valid JSON: a comma before ] is too much (line 2, column 1)'],
    ['{"a": 1, }', 'not valid JSON: a comma before } is too much (line 1, column 10)'],
    ["{'a': 1}", 'not valid JSON: texts stand in double quotes (line 1, column 2)'],
  ] as const)
    assert.equal(messageOf(text), message);
});
