import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printable } from '../../../src/cli/text/style.ts';

test('words of others are one line without what acts on a terminal and what nobody would see', () => {
  assert.equal(printable('a\u001b[2J\u001b]0;owned\u0007b\u009bc\u202ed\r\n\te'), 'abcd e');
  assert.equal(printable('rm\u{e0041}\u{e007f} \u200b\ufeffx\u2060y\ufff9z'), 'rm xyz');
  // Joiners are part of scripts and of emoji.
  for (const text of ['plain', 'é日', '👩\u200d💻', 'نامه\u200cای']) assert.equal(printable(text), text);
});
