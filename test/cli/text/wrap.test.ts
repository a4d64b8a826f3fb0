import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import fc from 'fast-check';
import { displayWidth } from '../../../src/cli/text/display-width.ts';
import { broken, wrapped, wrapText } from '../../../src/cli/text/wrap.ts';

describe('wrapped text', () => {
  test('breaks at blanks and indents by its label', () => {
    assert.deepEqual(wrapped('  hint: ', 'one two three four', 18), [
      '  hint: one two',
      '        three four',
    ]);
  });

  test('breaks a word that is longer than a line', () => {
    assert.deepEqual(wrapped('', 'see /a/very/long/path/to/x', 10), [
      'see',
      '/a/very/lo',
      'ng/path/to',
      '/x',
    ]);
  });

  test('what follows a line of a text is indented two columns further', () => {
    assert.equal(wrapText('head\n  one two three', 12), 'head\n  one two\n    three');
  });

  test('broken text loses no character, and its rows never begin at the edge', () => {
    const rows = broken('    ', 'rm  -rf   /tmp/x', 14);
    assert.deepEqual(rows, ['    rm  -rf   ', '      /tmp/x']);
  });

  test('nothing is wider than the terminal, in colour too, and no word is lost', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '毎', '–', '"'), minLength: 1, maxLength: 30 });
    const coloured = fc
      .tuple(word, fc.boolean())
      .map(([text, isRed]) => (isRed ? `\u001b[31m${text}\u001b[0m` : text));
    fc.assert(
      fc.property(
        fc.array(coloured, { minLength: 1, maxLength: 12 }),
        fc.integer({ min: 12, max: 60 }),
        (words, width) => {
          const text = `  ${words.join(' ')}`;
          const lines = wrapText(text, width).split('\n');
          for (const line of lines)
            assert.ok(displayWidth(line) <= width, `${displayWidth(line)} of ${width}`);
          const bare = (each: string): string => stripVTControlCharacters(each).replace(/\s/g, '');
          assert.equal(bare(lines.join('')), bare(text));
        },
      ),
    );
  });
});
