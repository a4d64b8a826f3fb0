import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonText } from '../../src/definition/json-text.ts';
import { fileOf, load, skill } from './support.ts';

function messages(text: string): readonly string[] {
  return parseJsonText(text).problems.map(({ message }) => message);
}

const FAULTS: readonly (readonly [string, string])[] = [
  ['', 'the file is empty; a JSON object belongs there'],
  ['{\n "a": 1,\n}', 'not valid JSON: a comma before } is too much (line 3, column 1)'],
  ["{'a':1}", 'not valid JSON: texts stand in double quotes (line 1, column 2)'],
  ['{"a":1\n "b":1}', "not valid JSON: Expected ',' or '}' after property value (line 2, column 2)"],
  ['// no\n{}', 'not valid JSON: JSON has no comments (line 1, column 1)'],
  ['{"a":[1', "not valid JSON: Expected ',' or ']' after array element (line 1, column 8)"],
  ['{"a":1,"a":2}', 'the key "a" is given twice'],
];

for (const [text, expected] of FAULTS) {
  test(`${JSON.stringify(text)} is refused with its place`, () => {
    assert.deepEqual(messages(text), [expected]);
  });
}

test('100,000 levels of nesting are refused without overflowing the stack', () => {
  assert.deepEqual(messages('['.repeat(100_000)), [
    'arrays and objects are nested deeper than 512 levels (line 1, column 513)',
  ]);
});

test('a file of just under 5 MB loads, a larger one is refused with its size', async () => {
  const room = 5 * 1024 * 1024 - fileOf([skill('a', { inputs: { text: '' } })]).length;
  const fits = await load(fileOf([skill('a', { inputs: { text: 'x'.repeat(room) } })]));
  assert.deepEqual(fits.problems, []);
  const { problems } = await load(fileOf([skill('a', { inputs: { text: 'x'.repeat(room + 1) } })]));
  assert.deepEqual(problems, [
    {
      severity: 'error',
      path: '$',
      message: 'the file has 5242881 bytes, at most 5242880 (5 MB) are allowed',
    },
  ]);
});

test('a byte order mark is no fault', () => {
  assert.deepEqual(parseJsonText('\uFEFF{}'), { value: {}, problems: [] });
});
