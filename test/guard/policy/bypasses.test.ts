import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { JsonObject } from '../../../src/definition/workflow.ts';
import type { PolicySet } from '../../../src/guard/policy/files/policy-set.ts';
import { callOf, setOf, verdictIn, verdictOf } from '../../setup/policies.ts';
import { ESCAPE_ATTEMPTS, SECRET_ATTEMPTS } from '../bypasses/paths.ts';
import { TOOL_ATTEMPTS, UNKNOWN_ATTEMPTS } from '../bypasses/tools.ts';
import { ADDRESS_ATTEMPTS, URL_ATTEMPTS } from '../bypasses/urls.ts';

describe('ways around a rule on paths', () => {
  let base: string;
  let workspace: string;
  before(() => {
    base = mkdtempSync(join(tmpdir(), 'qw-bypass-'));
    workspace = join(base, 'ws');
    for (const folder of ['ws/sub', 'ws/empty/node_modules', 'ws-other'])
      mkdirSync(join(base, folder), { recursive: true });
    for (const file of [
      'ws/.env',
      'ws/sub/.env',
      'ws/empty/node_modules/.env',
      'ws/a.txt',
      'secret',
      'ws-other/file',
      'outside',
    ])
      writeFileSync(join(base, file), 'x');
    const links = {
      link: '.env',
      chain: 'link',
      up: '..',
      here: '.',
      passwd: '/etc/passwd',
      dangling: '../nothing',
    };
    for (const [name, target] of Object.entries(links)) symlinkSync(target, join(workspace, name));
    linkSync(join(base, 'outside'), join(workspace, 'hard'));
  });
  after(() => rmSync(base, { recursive: true }));

  test('a denied file is denied by every spelling and tool', async () => {
    const set = await setOf({
      default: 'allow',
      rules: [{ id: 'no-env', effect: 'deny', path: '**/.env' }],
    });
    const slipped = SECRET_ATTEMPTS.filter(({ tool, args }) => {
      const text = JSON.stringify(args).replace('/home/../$WS', workspace);
      return verdictIn(workspace, set, tool, JSON.parse(text)).decision !== 'deny';
    });
    assert.deepEqual(
      slipped.map(({ name }) => name),
      [],
    );
    for (const path of ['a.txt', 'sub', 'env', '.envrc.md'])
      assert.equal(verdictIn(workspace, set, 'fs_read', { path }).decision, 'allow', path);
    const search = { pattern: 'x', path: 'empty' };
    assert.equal(verdictIn(workspace, set, 'search', search).decision, 'allow');
    assert.equal(verdictIn(workspace, set, 'execute_bash', { command: 'cat a.txt' }).decision, 'allow');
    assert.equal(verdictIn(workspace, set, 'execute_bash', { command: 'grep -n x a.txt' }).decision, 'allow');
  });

  test('a denial says which file it is about where the call does not name it', async () => {
    const set = await setOf({
      default: 'allow',
      rules: [{ id: 'no-env', effect: 'deny', path: '**/.env', reason: 'it may hold secrets' }],
    });
    const reasonOf = (tool: string, args: JsonObject) => verdictIn(workspace, set, tool, args).reason;
    assert.equal(reasonOf('fs_read', { path: '.env' }), 'it may hold secrets');
    assert.equal(
      reasonOf('search', { pattern: 'x' }),
      'it may hold secrets: .env lies in what it goes through',
    );
    assert.equal(
      reasonOf('execute_bash', { command: 'ls && grep -r x sub' }),
      'it may hold secrets: sub/.env lies in what it goes through (grep -r x sub)',
    );
    assert.equal(
      reasonOf('execute_bash', { command: 'cat $(date)' }),
      'it may hold secrets: which files it touches is known only when it runs (cat $(date))',
    );
  });

  test('a file outside what is allowed is not allowed by any spelling', async () => {
    const set = await setOf({
      default: 'deny',
      rules: [
        { effect: 'allow', tool: ['fs_*'], path: { within: '${workspace}' } },
        { effect: 'allow', tool: 'execute_bash', command: ['echo', 'cat', 'cd'] },
      ],
    });
    const slipped = ESCAPE_ATTEMPTS.filter(
      ({ tool, args }) => verdictIn(workspace, set, tool, args).decision === 'allow',
    );
    assert.deepEqual(
      slipped.map(({ name }) => name),
      [],
    );
    for (const path of ['a.txt', 'sub/../a.txt', 'here/a.txt', 'new/file', '.', join(workspace, 'a.txt')])
      assert.equal(verdictIn(workspace, set, 'fs_read', { path }).decision, 'allow', path);
  });

  test('a workspace that is reached by a link is the same workspace', async () => {
    const set = await setOf({
      default: 'deny',
      rules: [{ effect: 'allow', tool: 'fs_read', path: { within: '${workspace}' } }],
    });
    const link = join(base, 'ws-link');
    symlinkSync('ws', link);
    for (const path of ['a.txt', join(link, 'a.txt'), join(workspace, 'a.txt')])
      assert.equal(verdictIn(link, set, 'fs_read', { path }).decision, 'allow', path);
    assert.equal(verdictIn(link, set, 'fs_read', { path: join(link, '..', 'secret') }).decision, 'deny');
  });
});

describe('ways around a rule on hosts', () => {
  const fetchOf = (set: PolicySet, url: string): string =>
    verdictOf(set, callOf('http_fetch', { url })).decision;

  test('only the listed host is allowed', async () => {
    const set = await setOf({
      default: 'deny',
      rules: [{ effect: 'allow', tool: 'http_fetch', host: { names: ['api.example.com'], ports: [443] } }],
    });
    assert.deepEqual(
      URL_ATTEMPTS.filter((url) => fetchOf(set, url) === 'allow'),
      [],
    );
    for (const url of [
      'https://api.example.com',
      'https://API.example.com:443/x?y',
      'https://api.example.com./',
    ])
      assert.equal(fetchOf(set, url), 'allow', url);
  });

  test('an address of a denied class is denied in every spelling', async () => {
    const set = await setOf({
      default: 'allow',
      rules: [
        {
          effect: 'deny',
          host: { classes: ['loopback', 'private', 'metadata', 'link-local', 'unspecified'] },
        },
      ],
    });
    assert.deepEqual(
      ADDRESS_ATTEMPTS.filter((url) => fetchOf(set, url) !== 'deny'),
      [],
    );
    for (const url of ['https://example.com/', 'http://1.1.1.1/'])
      assert.equal(fetchOf(set, url), 'allow', url);
    const shell = (command: string): string => verdictOf(set, callOf('execute_bash', { command })).decision;
    assert.equal(shell('curl http://169.254.169.254/latest'), 'deny');
    assert.equal(shell('curl 169.254.169.254/latest'), 'deny');
    assert.equal(shell('curl $URL'), 'deny');
    assert.equal(shell('ssh root@127.1'), 'deny');
    assert.equal(shell('mytool --url=http://10.0.0.1:80/'), 'deny');
    assert.equal(shell('curl https://example.com/'), 'allow');
  });

  test('a header cannot name another host', async () => {
    const set = await setOf({
      default: 'deny',
      rules: [{ effect: 'allow', tool: 'http_fetch', host: 'api.example.com' }],
    });
    const args = { url: 'https://api.example.com/', headers: { hOst: 'evil.com' } };
    assert.equal(verdictOf(set, callOf('http_fetch', args)).decision, 'deny');
  });
});

describe('ways around a rule on tools', () => {
  test('a name that only looks like a tool is none, and is denied as the tool it looks like', async () => {
    const allows = await setOf({
      default: 'deny',
      rules: [{ effect: 'allow', tool: ['fs_*', 'fs_write', '*'] }],
    });
    const denies = await setOf({ default: 'allow', rules: [{ effect: 'deny', tool: 'fs_write' }] });
    const args = { path: 'a', content: 'x' };
    assert.deepEqual(
      TOOL_ATTEMPTS.filter((name) => verdictOf(allows, callOf(name, args)).decision === 'allow'),
      [],
    );
    assert.deepEqual(
      TOOL_ATTEMPTS.filter((name) => verdictOf(denies, callOf(name, args)).decision !== 'deny'),
      [],
    );
    for (const name of ['fs_write', 'write', 'fsWrite'])
      assert.equal(verdictOf(allows, callOf(name, args)).decision, 'allow', name);
  });

  test('globs do not reach names that nobody knows', async () => {
    const set = await setOf({ default: 'deny', rules: [{ effect: 'allow', tool: ['fs_*', '@git/*'] }] });
    assert.deepEqual(
      UNKNOWN_ATTEMPTS.filter((name) => verdictOf(set, callOf(name, {})).decision === 'allow'),
      [],
    );
    assert.equal(verdictOf(set, callOf('@git/push', {})).decision, 'allow');
  });
});
