import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Json, JsonObject } from '../../src/definition/workflow.ts';
import { WorkflowError } from '../../src/errors/workflow-error.ts';
import { LineReader } from '../../src/skills/lines.ts';
import { Capture } from '../../src/skills/output.ts';
import { validateParameters } from '../../src/skills/parameters.ts';
import { loadPatternTest } from '../../src/skills/patterns.ts';
import { runPrompt } from '../../src/skills/prompt.ts';
import { Redactor } from '../../src/skills/redact.ts';
import { commandResult, parseJsonObject } from '../../src/skills/result.ts';
import { splitCommand } from '../../src/skills/split-command.ts';
import { fillTemplate } from '../../src/skills/template.ts';
import { skillOf } from './make.ts';

const declared = (parameters: Json[]) => skillOf({ type: 'prompt_inline', prompt: 'x', parameters });

function problemsOf(parameters: Json[], inputs: JsonObject): string[] {
  try {
    validateParameters(declared(parameters), inputs);
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error;
    assert.equal(error.code, 'PARAMETER_INVALID');
    return error.problems.map((problem) => problem.message);
  }
  return [];
}

describe('parameters', () => {
  test('every problem is told at once, with a suggestion for an unknown one', () => {
    const parameters = [
      { name: 'count', type: 'number', required: true },
      { name: 'mode', type: 'enum', values: ['fast', 'slow'] },
      { name: 'url', type: 'string', required: true },
      { name: 'dry', type: 'boolean' },
    ];
    assert.deepEqual(problemsOf(parameters, { count: '3', mode: 'fats', ulr: 'x', dry: 'true', url: null }), [
      '"count" must be of type number, not the string "3"',
      '"mode" must be one of "fast", "slow", not the string "fats"',
      '"url" is required (string)',
      '"dry" must be of type boolean, not the string "true"',
      '"ulr" is no parameter of it; did you mean "url"?',
    ]);
  });

  test('defaults stand in for absent and null, numbers become the text of a string, objects pass', () => {
    const skill = declared([
      { name: 'a', type: 'string', default: 'd' },
      { name: 'b', type: 'string' },
      { name: 'c', type: 'object' },
      { name: 'd', type: 'array' },
      { name: 'e', type: 'enum', values: ['1', '2'] },
    ]);
    const values = validateParameters(skill, { a: null, b: 8080, c: { x: 1 }, d: [], e: 1 });
    assert.deepEqual(values, { a: 'd', b: '8080', c: { x: 1 }, d: [], e: '1' });
  });

  test('a pattern that is large when written out is not tried on a text with which it would take minutes', async () => {
    const matches = await loadPatternTest();
    const skill = declared([{ name: 'a', type: 'string', pattern: '(?:x?){900}[yz]' }]);
    const check = (a: string): Json => validateParameters(skill, { a }, matches)['a'] ?? null;
    assert.equal(check('xxy'), 'xxy');
    assert.throws(
      () => check('x'.repeat(1_000_000)),
      (error: WorkflowError) =>
        error.code === 'PARAMETER_INVALID' &&
        /^"a" cannot be checked by its pattern: it would take too long on 1000000 characters$/.test(
          error.problems[0]?.message ?? '',
        ),
    );
    const plain = declared([{ name: 'a', type: 'string', pattern: '^[x-z]+$' }]);
    const long = 'x'.repeat(500_000);
    assert.equal(validateParameters(plain, { a: long }, matches)['a'], long);
  });

  test('a skill that declares no parameters takes any inputs, also when its list is empty', () => {
    assert.deepEqual(validateParameters(skillOf({ command: 'x' }), { any: [1] }), { any: [1] });
    assert.deepEqual(validateParameters(declared([]), { any: 1 }), { any: 1 });
    assert.deepEqual(problemsOf([{ name: 'url' }], { any: 1 }), [
      '"any" is no parameter of it; known are url',
    ]);
  });

  test('a pattern is matched anywhere and in linear time', async () => {
    const matches = await loadPatternTest();
    const skill = declared([{ name: 'a', type: 'string', pattern: '(a+)+$' }]);
    assert.deepEqual(validateParameters(skill, { a: 'xaaa' }, matches), { a: 'xaaa' });
    const startedAt = performance.now();
    assert.throws(() => validateParameters(skill, { a: `${'a'.repeat(20_000)}!` }, matches), {
      code: 'PARAMETER_INVALID',
    });
    assert.ok(performance.now() - startedAt < 2000);
  });
});

describe('templates', () => {
  test('places take values once, whatever the values look like', () => {
    const values = { a: '{b}', b: '{{a}}', n: 1, o: { k: [true] }, z: null };
    assert.equal(fillTemplate('{a} {{b}} {{ n }} {o} [{z}]', values, []).text, '{b} {{a}} 1 {"k":[true]} []');
  });

  test('what is no known name stays, a declared one without value is empty', () => {
    const filled = fillTemplate('{"json": {"a": 1}} ${' + 'a} {gone} {no name} {late}', { a: 'X' }, ['late']);
    assert.equal(filled.text, '{"json": {"a": 1}} ${' + 'a} {gone} {no name} ');
    assert.deepEqual(filled.unknown, ['gone']);
  });

  test('filling is the same as joining parts by hand, for any values', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (x, y) => {
        assert.equal(fillTemplate('<{x}|{y}>', { x, y }, []).text, `<${x}|${y}>`);
      }),
    );
  });

  test('a prompt gives its text and warns of places it could not fill', () => {
    const skill = skillOf({ type: 'prompt_inline', prompt: 'Hi {who}, {gone}' });
    assert.deepEqual(runPrompt(skill, { who: 'Ann' }), {
      result: { text: 'Hi Ann, {gone}', stdout: 'Hi Ann, {gone}' },
      warnings: ['{gone} has no value and stays as it is'],
    });
    assert.throws(() => runPrompt(skill, { who: { $secret: 'S' } }), { code: 'PARAMETER_INVALID' });
  });
});

test('words joined by quotes split into the same words again', () => {
  const quoted = (word: string) => `'${word.replaceAll("'", `'"'"'`)}'`;
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (words) => {
      assert.deepEqual(splitCommand(words.map(quoted).join('  ')), { isSplit: true, words });
    }),
  );
  assert.deepEqual(splitCommand(' '), { isSplit: false, reason: 'is blank' });
  assert.deepEqual(splitCommand('a\\'), { isSplit: false, reason: 'ends with a backslash' });
});

test('a secret is masked wherever the stream is cut', () => {
  const secret = 'aab-"x';
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'aa', 'b', secret, '-"'), { maxLength: 20 }),
      fc.array(fc.nat(5)),
      (parts, cuts) => {
        const text = parts.join('');
        const redactor = new Redactor([secret]);
        let shown = '';
        let from = 0;
        for (const cut of [...cuts, text.length]) {
          shown += redactor.push(Buffer.from(text.slice(from, from + cut))).toString();
          from += cut;
        }
        shown += redactor.end().toString();
        assert.equal(shown, text.replaceAll(secret, '***'));
      },
    ),
  );
});

describe('results', () => {
  const captured = (text: string, isTruncated = false) => ({ text, totalBytes: text.length, isTruncated });
  const base = { stderr: captured(''), exitCode: 0, durationMs: 1, leftBehind: 0, outputs: [] };

  test('a list, a bare value or a cut object is text', () => {
    for (const text of ['[1]', '7', '"x"', 'null', '{"a":1} tail', '{bad}']) {
      assert.equal(commandResult({ ...base, stdout: captured(text) }).stdout, text);
    }
    assert.equal(commandResult({ ...base, stdout: captured('{"a":1}', true) }).stdout, '{"a":1}');
    assert.deepEqual(parseJsonObject(' {"a":1}\n'), { a: 1 });
  });

  test('one declared output takes the text, unless it names what every result has', () => {
    const text = { ...base, stdout: captured('hi\n'), stderr: captured('note') };
    assert.equal(commandResult({ ...text, outputs: ['greeting'] }).greeting, 'hi');
    assert.equal(commandResult({ ...text, outputs: ['exit_code'] }).exit_code, 0);
    assert.equal(commandResult({ ...text, outputs: ['stderr'] }).stderr, 'note');
    assert.equal(commandResult({ ...text, outputs: ['duration_ms'] }).duration_ms, 1);
    assert.equal(commandResult({ ...text, outputs: ['a', 'b'] }).a, undefined);
  });

  test('an object nested too deep or with an infinite number is text, and __proto__ is a plain field', () => {
    assert.equal(parseJsonObject(`{"a":${'['.repeat(300)}${']'.repeat(300)}}`), null);
    assert.equal(parseJsonObject('{"a": [{"b": -1e999}]}'), null);
    const result = commandResult({ ...base, stdout: captured('{"__proto__": {"x": 1}}') });
    assert.equal(Object.hasOwn(result, '__proto__'), true);
    assert.equal(result.x, undefined);
  });

  test('the head of a stream is cut at a whole character, the tail keeps the end', () => {
    const capture = new Capture(4);
    for (const byte of Buffer.from(`abcé${'z'.repeat(3000)}`)) capture.push(Buffer.from([byte]));
    assert.deepEqual(capture.head(), { text: 'abc', totalBytes: 3005, isTruncated: true });
    assert.equal(capture.tail(), 'z'.repeat(2048));
  });

  test('the ends of a stream are all of it, or its head and its last bytes', () => {
    const ends = (text: string): string => {
      const capture = new Capture(10);
      for (const byte of Buffer.from(text)) capture.push(Buffer.from([byte]));
      return capture.ends();
    };
    for (const text of ['', 'short', '0123456789', `0123456789${'é'.repeat(1024)}`, '012345678é'])
      assert.equal(ends(text), text);
    assert.equal(
      ends(`0123456789abc${'z'.repeat(2048)}`),
      `0123456789\n[… 3 bytes left out …]\n${'z'.repeat(2048)}`,
    );
    assert.equal(
      ends(`012345678é${'é'.repeat(1024)}z`),
      `012345678\n[… 2 bytes left out …]\n${'é'.repeat(1023)}z`,
    );
  });
});

test('lines come whole however the bytes are cut, and a long one is reported', () => {
  const lines: string[] = [];
  let tooLong = 0;
  const reader = new LineReader(
    10,
    (line) => lines.push(line),
    () => tooLong++,
  );
  for (const byte of Buffer.from('é\r\n\nab\nrest')) reader.push(Buffer.from([byte]));
  assert.deepEqual(lines, ['é', '', 'ab']);
  reader.push(Buffer.from('1234567'));
  assert.equal(tooLong, 1);
});
