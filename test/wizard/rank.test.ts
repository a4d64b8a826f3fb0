import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freeName, nameFault, slug } from '../../src/wizard/names.ts';
import { ranked, scoreOf } from '../../src/wizard/rank.ts';
import { readMebibytes, readSeconds, readWords } from '../../src/wizard/units.ts';

const part = (name: string, description = ''): { name: string; description: string } => ({
  name,
  description,
});

test('what shares words with the purpose comes first, the name counting more', () => {
  const parts = [
    part('zip', 'packs files'),
    part('mailer', 'sends reports'),
    part('send-mail', 'by SMTP'),
    part('report', 'writes text'),
  ];
  const names = ranked(parts, 'Send a report by mail every night').map(({ name }) => name);
  assert.deepEqual(names, ['send-mail', 'mailer', 'report', 'zip']);
});

test('words match by their beginning, and words that say nothing do not count', () => {
  assert.ok(scoreOf(part('fetch'), 'fetches pages') > 0);
  assert.equal(scoreOf(part('do-it', 'for the and with'), 'do it for me and the others'), 0);
  assert.equal(scoreOf(part('cat'), 'category'), 0);
  assert.equal(scoreOf(part('bericht-drucken', ''), 'Berichte drucken') > 0, true);
});

test('names are made of the first words, are free, and are what the schema takes', () => {
  assert.equal(slug('Check the disks every night', 'workflow'), 'check-the-disks-every');
  assert.equal(slug('Prüfe Größe!', 'workflow'), 'prufe-grosse');
  assert.equal(slug('日本', 'workflow'), 'workflow');
  assert.equal(slug('context', 'step'), 'step');
  assert.equal(
    freeName('a', (name) => name === 'a' || name === 'a-2'),
    'a-3',
  );
  assert.equal(nameFault('a-b'), null);
  assert.equal(nameFault('-a'), 'Write it with lower-case letters, digits and inner hyphens.');
  assert.equal(nameFault('a'.repeat(101)), 'Write it with lower-case letters, digits and inner hyphens.');
});

test('figures are read with their units', () => {
  assert.deepEqual(['90', '90s', '1.5 min', '2 h', '1d', '2 weeks', '-1', ''].map(readSeconds), [
    90,
    90,
    90,
    7200,
    86_400,
    null,
    null,
    null,
  ]);
  assert.deepEqual(['512', '512 MB', '2g', '1 GiB', 'constructor', '5 kB'].map(readMebibytes), [
    512,
    512,
    2048,
    1024,
    null,
    null,
  ]);
  assert.deepEqual(readWords(' a, b,,a '), ['a', 'b']);
});
