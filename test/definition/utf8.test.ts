import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeUtf8 } from '../../src/definition/utf8.ts';

const messageOf = (bytes: Uint8Array): string | null => {
  const read = decodeUtf8(bytes);
  return typeof read === 'string' ? null : read.message;
};

test('bytes that are no UTF-8 are named with their place', () => {
  const broken = Buffer.concat([Buffer.from('{\n"é\uFFFD": "'), Buffer.from([0xff]), Buffer.from('"}')]);
  assert.equal(messageOf(broken), 'the file is not UTF-8: byte 0xff at offset 12 (line 2)');
  assert.equal(messageOf(Buffer.from([0x7b, 0xc3])), 'the file is not UTF-8: byte 0xc3 at offset 1 (line 1)');
});

test('UTF-16 is called by its name', () => {
  assert.equal(messageOf(Buffer.from('\uFEFF{}', 'utf16le')), 'the file is UTF-16; save it as UTF-8');
});

test('any text comes back as it was written, with its byte order mark', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const whole = `\uFEFF${text.toWellFormed()}`;
      assert.equal(decodeUtf8(Buffer.from(whole)), whole);
    }),
  );
});
