/** Paths and hosts that stand where a reader of arguments may overlook them, and a tool does not. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { JsonObject } from '../../../src/definition/workflow.ts';
import { decide } from '../../../src/guard/policy/decide.ts';
import { realFiles } from '../../../src/guard/policy/files/file-facts.ts';
import type { RuleFile } from '../../../src/guard/policy/files/policy-file.ts';
import { callOf, HOME, setOf, verdictOf } from '../../setup/policies.ts';

const RULES: RuleFile[] = [
  { effect: 'deny', tool: '*', path: ['/etc/**', '~/.ssh/**', '~/.ssh'] },
  { effect: 'deny', tool: '*', host: 'evil.example' },
];

async function decision(tool: string, args: JsonObject): Promise<string> {
  return verdictOf(await setOf({ default: 'allow', rules: RULES }), callOf(tool, args)).decision;
}

const STATE = `${HOME}/state/secrets`;
const POLICY = `${HOME}/.config/q-workflow/policies/a.json`;
const DOTS = '../'.repeat(12);

const HIDDEN: readonly (readonly [tool: string, args: JsonObject])[] = [
  // The home of who reads.
  ['fs_read', { operations: [{ mode: 'Line', path: '~/.ssh/config' }] }],
  ['fs_read', { path: '~/.ssh/config' }],
  ['grep', { path: '~/.ssh', pattern: 'x' }],
  ['fs_write', { path: '~/.config/q-workflow/policies/a.json', content: '{}' }],
  ['@files/read', { path: '~/state/secrets' }],
  ['execute_bash', { command: 'cat id_rsa', cwd: '~/.ssh' }],
  // The pattern is the place.
  ['glob', { pattern: '/etc/*' }],
  ['glob', { pattern: `${HOME}/.ssh/*` }],
  ['glob', { pattern: `${DOTS}etc/*` }],
  ['search', { pattern: 'x', glob: '/etc/*' }],
  ['search', { pattern: 'x', glob: '~/.ssh/*' }],
  // Keys, and folders beside.
  ['@files/write', { files: { '/etc/shadow': 'x' } }],
  ['@files/write', { files: { [POLICY]: '{}' } }],
  ['@web/get', { pages: { 'http://evil.example/': {} } }],
  ['@files/read', { cwd: HOME, path: 'state/secrets' }],
  ['@files/read', { root: '/', path: 'etc/shadow' }],
  ['@files/read', { baseDir: '/', file: 'etc/shadow' }],
  ['@files/read', { working_directory: '/etc', name: 'shadow' }],
  // URLs of files.
  ...[
    'file:/etc/shadow',
    'file:///%65tc/shadow',
    ' file:///etc/shadow',
    '\tfile:///etc/shadow',
    'fi\nle:///etc/shadow',
    'file:\\\\\\etc\\shadow',
    'file://localhost/etc/shadow',
    `file://${HOME}/st%61te/secrets`,
  ].map((uri) => ['@files/read', { uri }] as const),
  // Arguments of our own tools.
  ['knowledge', { command: 'add', name: 'x', value: `${HOME}/state` }],
  ['use_aws', { service_name: 's3api', operation_name: 'put-object', parameters: { body: '/etc/shadow' } }],
  ['delegate', { path: '/etc/shadow' }],
  ['fs_read', { path: [STATE] }],
  ['fs_write', { path: [POLICY], content: 'x' }],
  ['fs_read', { path: { a: '/etc/shadow' } }],
  // URLs that are mended by who reads them.
  ...[
    'http:/evil.example/',
    'http:evil.example/',
    'https:\\evil.example',
    '\u0001http://evil.example/',
    '//evil.example/',
    'evil.example:443',
    'evil.example',
  ].map((url) => ['@web/get', { url }] as const),
  ['@web/get', { host: 'evil.example' }],
  ['@web/get', { pageUrl: 'ht\ntp://evil.example/x' }],
  ['@web/get', { targetUrl: `http://evil.example/${'x'.repeat(5000)}` }],
  ['@files/read', { targetPath: `x\n/${DOTS}etc/shadow` }],
  ['@files/read', { targetPath: `/${'./'.repeat(2100)}etc/shadow` }],
  ['@files/read', { which: `/${'./'.repeat(2100)}etc/shadow` }],
  // What cannot be read.
  ['http_fetch', { url: 'https://good.example/', headers: [{ toString: 1, valueOf: 1 }] }],
];

const PLAIN: readonly (readonly [tool: string, args: JsonObject])[] = [
  ['fs_read', { path: 'a' }],
  ['glob', { pattern: 'src/**/*.ts' }],
  ['search', { pattern: '/etc/', path: 'src' }],
  ['@files/read', { path: 'a', cwd: 'b' }],
  ['@files/write', { path: 'a.js', content: '/** one\n * two */\n' }],
  ['@files/write', { path: 'a.css', content: `.a { color: red }\n${'x'.repeat(9000)}` }],
  ['@web/get', { url: 'https://good.example/a' }],
  ['@db/query', { sql: 'select 1', options: { verbose: true, tags: ['a', 'b'] } }],
  ['thinking', { thought: '/etc/shadow is a file' }],
  ['http_fetch', { url: 'https://good.example/', headers: { accept: 'a' } }],
];

describe('hidden places', () => {
  for (const [tool, args] of HIDDEN)
    test(`not allowed: ${tool} ${JSON.stringify(args).slice(0, 90)}`, async () => {
      assert.notEqual(await decision(tool, args), 'allow');
    });
  for (const [tool, args] of PLAIN)
    test(`allowed: ${tool} ${JSON.stringify(args).slice(0, 90)}`, async () => {
      assert.equal(await decision(tool, args), 'allow');
    });

  test('links that lead through thousands of names are decided in a moment, and not allowed', async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'qw-links-'));
    t.after(() => rmSync(folder, { recursive: true }));
    for (let index = 0; index < 39; index += 1)
      symlinkSync(`a${index + 1}/${'./'.repeat(2000)}`, join(folder, `a${index}`));
    const set = await setOf({ default: 'allow', rules: RULES });
    for (const paths of [['a0'], Array.from({ length: 900 }, () => 'a0'), many(39)]) {
      const begin = performance.now();
      const call = { ...callOf('@files/read', { paths }), workspace: folder, cwd: folder };
      const verdict = decide(set, call, { files: realFiles(), home: HOME });
      assert.notEqual(verdict.decision, 'allow');
      const tookMs = performance.now() - begin;
      assert.ok(tookMs < 1000, `${tookMs} ms`);
    }
  });
});

function many(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `a${index}`);
}
