import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hideKinds, SECRET_KINDS, type SecretKind } from '../../src/guard/secret-kinds.ts';
import { maskWith } from '../../src/guard/secret-mask.ts';
import { Redactor } from '../../src/skills/redact.ts';

const KEY = '11'.repeat(32);

test('the same secret has the same mask wherever it stands, and another key gives another', () => {
  const mask = maskWith(KEY);
  assert.match(mask('hunter2'), /^hmac:[0-9a-f]{8}:[0-9a-f]{12}$/);
  assert.equal(mask('hunter2'), maskWith(KEY)('hunter2'));
  assert.notEqual(mask('hunter2'), mask('hunter3'));
  const other = maskWith('22'.repeat(32))('hunter2');
  assert.notEqual(other.split(':')[1], mask('hunter2').split(':')[1]);
});

test('a secret and its form inside of JSON have one mask', () => {
  const secret = 'a"b\\c';
  const mask = maskWith(KEY);
  const shown = new Redactor([secret], mask).text(`${secret} ${JSON.stringify({ secret })}`);
  assert.equal(shown, `${mask(secret)} {"secret":"${mask(secret)}"}`);
});

test('what is masked once is not masked again', () => {
  const mask = maskWith(KEY);
  const kinds = Object.keys(SECRET_KINDS) as SecretKind[];
  const text = `Authorization: Bearer ${'t'.repeat(30)} git clone https://me:hunter2@host/x AKIA${'B'.repeat(16)}`;
  const once = hideKinds(text, kinds, mask);
  assert.equal(hideKinds(once, kinds, mask), once);
  assert.ok(!/hunter2|ttt|BBB/.test(once), once);
});
