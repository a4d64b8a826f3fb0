import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Redactor } from '../../src/skills/redact.ts';
import { secretForms } from '../../src/skills/secret-forms.ts';

/** Secrets of the lengths and letters that people have. */
const secret = fc.oneof(
  fc.string({ unit: 'binary', minLength: 8, maxLength: 200 }),
  fc.string({
    unit: fc.constantFrom(
      'a',
      '"',
      "'",
      '\\',
      '\n',
      '\r\n',
      '/',
      'é',
      '😀',
      '&',
      '<',
      '+',
      ' ',
      '$',
      '\t',
      '%',
    ),
    minLength: 8,
    maxLength: 40,
  }),
);

/** As other programs write it: independent of what the redactor thinks of. */
const WRITERS: Readonly<Record<string, (value: string) => string>> = {
  'as it is': (value) => value,
  'JSON of JavaScript': (value) => JSON.stringify(value),
  'JSON of Python': (value) =>
    JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
    ),
  'JSON of PHP': (value) =>
    JSON.stringify(value)
      .replace(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .replaceAll('/', '\\/'),
  'JSON of Go': (value) =>
    JSON.stringify(value).replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e'),
  'an address': (value) => encodeURIComponent(value.toWellFormed()),
  'a form': (value) => new URLSearchParams({ q: value.toWellFormed() }).toString().slice(2),
  'base64 of it': (value) => Buffer.from(value).toString('base64'),
  'base64 of a header': (value) => Buffer.from(`user:${value}`).toString('base64'),
  'base64 in an address': (value) => Buffer.from(`me:${value}`).toString('base64url'),
  'line ends of this system': (value) => value.replaceAll('\r\n', '\n'),
  'quotes of a shell': (value) => `'${value.replaceAll("'", "'\\''")}'`,
};

/** What of a form is left where its ends belong to something else, as in base64. */
const middle = (text: string): string => text.slice(6, -6);

describe('a secret is hidden in every form', () => {
  for (const [title, write] of Object.entries(WRITERS))
    test(title, () => {
      fc.assert(
        fc.property(secret, (value) => {
          const written = write(value);
          const shown = new Redactor([value]).text(`before ${written} after`);
          const left = middle(written);
          assert.ok(left.length < 6 || !shown.includes(left), `${JSON.stringify(written)} → ${shown}`);
          assert.match(shown, /^before /);
          assert.match(shown, / after$/);
        }),
      );
    });

  test('each line of a secret of several, but not its short ones', () => {
    const key = '-----BEGIN KEY-----\r\nabcdefghij\r\n}\r\n-----END KEY-----';
    assert.equal(new Redactor([key]).text('  abcdefghij\n}\n'), '  ***\n}\n');
  });
});

describe('what is shown does not depend on where a stream is cut', () => {
  const reference = (values: readonly string[], text: string): string => {
    const forms = [...new Set(values.flatMap((value) => [...secretForms(value)]))];
    const escaped = forms
      .sort((a, b) => Buffer.byteLength(b) - Buffer.byteLength(a))
      .map((form) => form.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    return text.replace(new RegExp(escaped.join('|'), 'g'), '***');
  };

  test('with secrets that begin with, end in or hold another', () => {
    const value = fc.string({ unit: fc.constantFrom('a', 'b', '\n'), minLength: 1, maxLength: 9 });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 1, maxLength: 4 }),
        fc.string({ unit: fc.constantFrom('a', 'b', '\n', 'c'), maxLength: 60 }),
        fc.array(fc.nat(5)),
        (values, text, cuts) => {
          const redactor = new Redactor(values);
          let shown = '';
          let from = 0;
          for (const cut of [...cuts, text.length]) {
            shown += redactor.push(Buffer.from(text.slice(from, from + cut))).toString();
            from += cut;
          }
          shown += redactor.end().toString();
          assert.equal(shown, reference(values, text));
          assert.equal(new Redactor(values).text(text), shown);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('nothing of a secret is shown when its beginning is one, too, and the stream ends or goes on', () => {
    const redactor = new Redactor(['password', 'password-of-ada']);
    assert.equal(redactor.push(Buffer.from('x password')).toString(), 'x ');
    assert.equal(redactor.push(Buffer.from('-of-')).toString(), '');
    assert.equal(redactor.push(Buffer.from('ada password')).toString(), '*** ');
    assert.equal(redactor.end().toString(), '***');
  });
});

test('a value that becomes known while a stream lasts is hidden from then on', () => {
  const known: string[] = [];
  const redactor = new Redactor([], undefined, () => known);
  assert.equal(redactor.push(Buffer.from('hunter2-long ')).toString(), 'hunter2-long ');
  known.push('hunter2-long');
  assert.equal(redactor.push(Buffer.from('hunter2-long ')).toString(), '*** ');
});

test('a secret that comes again and again takes time by the length of the text alone', () => {
  const others = Array.from({ length: 20 }, (_, index) => `another secret of many ${index}`);
  const text = Buffer.from('hunter2-long '.repeat(80_000));
  const startedAt = performance.now();
  const shown = new Redactor(['hunter2-long', ...others]).push(text);
  assert.equal(shown.toString(), '*** '.repeat(80_000));
  assert.ok(performance.now() - startedAt < 5000);
});
