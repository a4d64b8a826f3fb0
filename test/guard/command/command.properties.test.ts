import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { readArgv, readCommand } from '../../../src/guard/command/read-command.ts';
import { nested } from './nesting.ts';
import { maySee } from './support.ts';

test('a wrapped and quoted marker is seen, or the reading says that it is unsure', () => {
  let sure = 0;
  const runs = 3000;
  fc.assert(
    fc.property(nested, ({ source }) => {
      const reading = readCommand(source);
      const isSeen = maySee(reading, 'marker now');
      if (isSeen && reading.problems.length === 0) sure++;
      return isSeen || reading.problems.length > 0;
    }),
    { numRuns: runs },
  );
  // A reader that always doubts would pass too: this one must understand a good part.
  assert.ok(sure > runs / 4, `only ${sure} of ${runs} were read without a problem`);
});

test('any text and any argv give a reading, never a throw', () => {
  const token = fc.constantFrom(
    ...[
      'a',
      ' ',
      '\n',
      '$',
      '(',
      ')',
      '{',
      '}',
      "'",
      '"',
      '`',
      '\\',
      '|',
      '&',
      ';',
      '<',
      '>',
      '#',
      '!',
      '[',
      ']',
    ],
    ...[
      '=',
      '*',
      '$(',
      '$((',
      '))',
      '${',
      '<<E',
      '\nE\n',
      'if',
      'then',
      'fi',
      'for',
      'do',
      'done',
      'case',
      'in',
    ],
    ...[
      'esac',
      'sh -c ',
      'eval ',
      'env -S ',
      'sudo ',
      'xargs ',
      'find -exec ',
      'sed ',
      'git -c ',
      '-',
      '--',
      '\0',
      '\r',
    ],
  );
  const text = fc.array(token, { maxLength: 40 }).map((tokens) => tokens.join(''));
  fc.assert(
    fc.property(text, fc.array(fc.oneof(token, fc.string())), (source, argv) => {
      for (const reading of [readCommand(source), readArgv(argv)]) {
        assert.ok(!reading.problems.some((problem) => problem.startsWith('the reader failed')), source);
        assert.ok(reading.commands.length + reading.redirects.length + reading.problems.length > 0);
      }
    }),
    { numRuns: 5000 },
  );
});
