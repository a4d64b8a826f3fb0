import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { loadSettingsPatterns, settingsProblems, settingsRefusal } from '../../src/agents/files/settings.ts';
import { checkArguments, inputSchema, NATIVE_TOOLS } from '../../src/agents/native/native-tools.ts';
import { mayHave, mayHaveServer, serversNamed } from '../../src/agents/native/tool-choice.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';

const ALL = [...Object.keys(NATIVE_TOOLS), '@git/status', '@git/push', '@web/get'];
const have = (tools: string[], allowed: string[] | null = null, denied: string[] = []): string[] =>
  ALL.filter((tool) => mayHave({ tools, allowed, denied }, tool));

test('the tools of an agent file, by every pattern', () => {
  assert.deepEqual(have(['*']), ALL);
  assert.deepEqual(have([]), []);
  assert.deepEqual(have(['@builtin']), Object.keys(NATIVE_TOOLS));
  assert.deepEqual(have(['@git']), ['@git/status', '@git/push']);
  assert.deepEqual(have(['@git/status', 'shell']), ['execute_bash', '@git/status']);
  assert.deepEqual(have(['read']), ['fs_read', 'fs_list', 'search']);
  assert.deepEqual(have(['grep', 'report']), ['search', 'report_progress']);
});

test('guardrails only narrow: what the file does not give, they do not give', () => {
  assert.deepEqual(have(['fs_read'], ['execute_bash']), []);
  assert.deepEqual(have(['*'], ['fs_*']), ['fs_read', 'fs_write', 'fs_list']);
  assert.deepEqual(have(['*'], ['*'], ['fs_read', '@git/p*', 'exec', 'execute_bash']), [
    'fs_write',
    'http_fetch',
    'use_skill',
    'report_progress',
    '@git/status',
    '@web/get',
  ]);
  assert.deepEqual(have(['@git'], [], []), []);
});

test('a server is started only for an agent that may have a tool of it', () => {
  const may = (tools: string[], allowed: string[] | null = null, denied: string[] = []) =>
    mayHaveServer({ tools, allowed, denied }, 'git');
  assert.deepEqual(
    [may(['*']), may(['@git']), may(['@git/status']), may(['fs_read']), may(['@other']), may(['@gi'])],
    [true, true, true, false, false, false],
  );
  assert.deepEqual(
    [may(['*'], ['fs_read']), may(['*'], ['@git/*']), may(['*'], null, ['@git'])],
    [false, true, false],
  );
  assert.deepEqual(serversNamed(['@git/a', '@builtin', '*', '@web', '@mcp']), ['git', 'web']);
});

const folders = { workspace: '/ws', home: '/home/u' };
const refusal = (settings: Record<string, JsonObject>, tool: string, args: JsonObject): string | null =>
  settingsRefusal(settings, tool, args, folders);

before(() => loadSettingsPatterns({ shell: { deniedCommands: ['x'] } }));

test('a pattern that JavaScript would try in all ways takes no longer than another', () => {
  const settings = {
    shell: { deniedCommands: ['(a+)+b'], allowedCommands: ['(a|aa)+c'], denyByDefault: true },
  };
  const command = 'a'.repeat(50_000);
  const begin = performance.now();
  assert.match(refusal(settings, 'execute_bash', { command }) ?? '', /every command that it does not name/);
  assert.ok(performance.now() - begin < 20_000);
  assert.equal(refusal(settings, 'execute_bash', { command: `${command}c` }), null);
});

test('what no linear engine reads is no pattern, and what only seemed one denies', () => {
  assert.deepEqual(
    settingsProblems({ shell: { deniedCommands: ['rm(?! -i).*', '(', '\\Als\\z'] } }).map(({ path }) => path),
    ['shell.deniedCommands[0]', 'shell.deniedCommands[1]'],
  );
  assert.match(
    refusal({ shell: { deniedCommands: ['a{2000}'] } }, 'execute_bash', { command: 'ls' }) ?? '',
    /^the agent file has a pattern that cannot be used: /,
  );
});

test('denied commands hold for each part of a line, and for exec', () => {
  const settings = { shell: { deniedCommands: ['git push.*', 'rm -rf .*'] } };
  const denied = 'the agent file denies commands like git push.*';
  for (const command of ['git push', 'cd x && git push', 'true\ngit push', 'echo $(git push)', '(git push)'])
    assert.equal(refusal(settings, 'execute_bash', { command }), denied, command);
  assert.equal(refusal(settings, 'exec', { argv: ['git', 'push', 'origin'] }), denied);
  assert.equal(refusal(settings, 'execute_bash', { command: 'git status' }), null);
  assert.equal(refusal(settings, 'fs_read', { path: 'git push' }), null);
});

test('denyByDefault leaves whole commands that are named, without any chaining', () => {
  const settings = { execute_bash: { denyByDefault: true, allowedCommands: ['git status.*'] } };
  assert.equal(refusal(settings, 'execute_bash', { command: 'git status -s' }), null);
  for (const command of ['git status; rm x', 'git status\nrm x', 'ls', 'git status `rm x`'])
    assert.equal(
      refusal(settings, 'execute_bash', { command }),
      'the agent file denies every command that it does not name',
      command,
    );
});

test('denied paths hold for every file tool of the family, in any spelling', () => {
  const settings = { fs_read: { deniedPaths: ['secret/**', '~/.ssh', '/etc/**'] } };
  for (const [tool, path] of [
    ['fs_read', 'secret/a'],
    ['fs_list', './x/../secret'],
    ['search', 'secret'],
    ['fs_read', '/home/u/.ssh/id'],
    ['fs_read', '/etc/passwd'],
  ] as const)
    assert.match(refusal(settings, tool, { path }) ?? 'allowed', /^the agent file denies the path /, path);
  assert.equal(refusal(settings, 'fs_read', { path: 'secrets' }), null);
  assert.equal(refusal(settings, 'fs_write', { path: 'secret/a' }), null);
});

test('a star of a denied path means hidden files and folders, too, and braces each of their words', () => {
  for (const [pattern, path] of [
    ['secret/*', 'secret/.env'],
    ['**/*.pem', '.keys/a.pem'],
    ['**/*.pem', 'a/.b.pem'],
    ['*.pem', '.a.pem'],
    ['**', '.netrc'],
    ['Secret/**', 'secret/.x/y'],
    ['**/{*.key,*.pem}', '.keys/.a.pem'],
    ['secret/[ab]', 'secret/b'],
  ] as const)
    assert.equal(
      refusal({ fs_read: { deniedPaths: [pattern] } }, 'fs_read', { path }),
      `the agent file denies the path ${pattern}`,
      path,
    );
  for (const [pattern, path] of [
    ['secret/*', 'src/secret/a'],
    ['docs', 'src/docs'],
    ['*.pem', 'a/b.txt'],
  ] as const)
    assert.equal(refusal({ fs_read: { deniedPaths: [pattern] } }, 'fs_read', { path }), null, pattern);
});

test('an address is denied by a pattern that no engine can use', () => {
  assert.match(
    refusal({ web_fetch: { blocked: ['a{2000}'] } }, 'http_fetch', { url: 'https://x.test/' }) ?? '',
    /^the agent file has a pattern that cannot be used: /,
  );
});

test('arguments: unknown, missing and of the wrong type are told; the schema says the same', () => {
  const check = (name: string, args: JsonObject) =>
    checkArguments(name, NATIVE_TOOLS[name] ?? assert.fail(), args);
  assert.equal(check('fs_read', { path: 'a' }), null);
  assert.equal(check('fs_read', {}), 'fs_read needs the argument "path"');
  assert.equal(check('fs_read', { pth: 'a' }), 'fs_read has no argument "pth"; did you mean "path"?');
  assert.equal(
    check('fs_read', { path: 'a', start_line: 1.5 }),
    'fs_read: start_line must be a whole number',
  );
  assert.equal(
    check('fs_read', { path: 'a', start_line: 0 }),
    'fs_read: start_line must be a whole number of at least 1',
  );
  assert.equal(check('fs_read', { path: 'a\0b' }), 'fs_read: path must be a text without NUL');
  assert.equal(check('exec', { argv: [] }), 'exec: argv must be a list of texts, not empty');
  assert.equal(check('use_skill', { skill: 'x', inputs: [] }), 'use_skill: inputs must be an object');
  assert.equal(check('fs_read', { path: 'a', constructor: 'x' }), 'fs_read has no argument "constructor"');
  const schema = inputSchema(NATIVE_TOOLS['search'] ?? assert.fail());
  assert.deepEqual([schema['required'], schema['additionalProperties']], [['pattern'], false]);
});
