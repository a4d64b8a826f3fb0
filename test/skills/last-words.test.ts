import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lastWords } from '../../src/skills/last-words.ts';

test('the last words of a command are its last line', () => {
  assert.equal(lastWords('one\ntwo\n\n'), 'two');
  assert.equal(
    lastWords('Traceback (most recent call last):\n  File "x"\nValueError: no\n'),
    'ValueError: no',
  );
  assert.equal(lastWords('usage:\n  at least one\n'), 'at least one');
  assert.equal(lastWords(''), '');
  assert.equal(lastWords('x'.repeat(300)).length, 198);
});

test('of an uncaught error of Node.js they are its message, not the version below the stack', () => {
  const stderr = `node:fs:2430
    return binding.writeFileUtf8(
                   ^

Error: EROFS: read-only file system, open '/etc/x'
    at writeFileSync (node:fs:2430:20)
    at file:///w/s.mjs:55:1 {
  errno: -30,
  code: 'EROFS',
  path: '/etc/x'
}

Node.js v24.21.0
`;
  assert.equal(lastWords(stderr), "Error: EROFS: read-only file system, open '/etc/x'");
});
