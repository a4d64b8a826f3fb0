import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { hideKinds, SECRET_KINDS, type SecretKind } from '../../src/guard/secret-kinds.ts';

const ALL = Object.keys(SECRET_KINDS) as SecretKind[];

const cases: readonly [SecretKind, string, string][] = [
  ['aws-key', `id AKIA${'B'.repeat(16)}.`, 'id ***.'],
  ['aws-key', `aws_secret_access_key = ${'a1/+'.repeat(10)}`, 'aws_secret_access_key = ***'],
  ['bearer', `Authorization: Bearer ${'t'.repeat(30)}==`, 'Authorization: Bearer ***'],
  ['private-key', '-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nx', '***\nx'],
  ['private-key', '-----BEGIN PRIVATE KEY-----\ncut off', '***'],
  ['github-token', `ghp_${'a'.repeat(36)} x`, '*** x'],
  ['jwt', `eyJhbGciOi1.eyJzdWIiOi1.${'s'.repeat(20)}`, '***'],
  ['url-password', 'git clone https://me:hunter2@host/x', 'git clone https://me:***@host/x'],
];

for (const [kind, text, shown] of cases)
  test(`${kind}: ${text.slice(0, 30).replaceAll('\n', ' ')}`, () => {
    assert.equal(hideKinds(text, [kind]), shown);
    assert.equal(hideKinds(text, []), text);
  });

test('ordinary text stays as it is', () => {
  const text = 'https://host:8080/a@b bearer of news, AKIA1, a private key, eyJ.eyJ';
  assert.equal(hideKinds(text, ALL), text);
});

test('the schema of policies names the same kinds', () => {
  const schema = JSON.parse(
    readFileSync(join(import.meta.dirname, '../../policies/policy.schema.json'), 'utf8'),
  ) as { properties: { redact: { items: { enum: string[] } } } };
  assert.deepEqual(schema.properties.redact.items.enum, ALL);
});

for (const piece of ['-----BEGIN PRIVATE KEY-----', 'eyJaaaaaaaa.', 'https://a:', 'bearer ', 'AKIA', 'a://:'])
  test(`a megabyte of ${piece} is read in time`, () => {
    const text = piece.repeat(Math.floor(1_000_000 / piece.length));
    const before = process.threadCpuUsage();
    hideKinds(text, ALL);
    const { user, system } = process.threadCpuUsage(before);
    assert.ok((user + system) / 1000 < 2000, `${(user + system) / 1000} ms`);
  });
