import assert from 'node:assert/strict';
import { chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { findAgentFile } from '../../../src/agents/files/find.ts';
import { readFrontMatter } from '../../../src/agents/files/front-matter.ts';
import { readAgent } from '../../../src/agents/files/read-agent.ts';

const base = mkdtempSync(join(tmpdir(), 'qw-agents-'));
after(() => rmSync(base, { recursive: true }));
const places = { workspace: join(base, 'ws'), home: join(base, 'home') };

function write(path: string, content: object | string): string {
  const file = join(base, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}
const said = (file: string): string[] =>
  readAgent(file, places).notes.map(({ severity, path, message }) => `${severity} ${path}: ${message}`);

test('an agent file of Q is read whole, and what means nothing here is said', () => {
  const file = write('ws/.amazonq/cli-agents/a.json', {
    $schema: 'x',
    name: 'a',
    description: 'does',
    prompt: 'You do.',
    model: 'fast',
    tools: ['fs_read', '@git'],
    toolAliases: { '@git/status': 'status' },
    allowedTools: ['fs_read'],
    toolsSettings: { execute_bash: { deniedCommands: ['rm .*'] } },
    mcpServers: {
      git: { command: 'git-mcp', args: ['--x'], env: { A: 1 }, timeout: 5 },
      off: { command: 'x', disabled: true },
    },
    resources: [
      'file://README.md',
      'file://docs/**/*.md',
      'skill://x',
      'file://a\nb',
      { type: 'knowledgeBase' },
    ],
    hooks: { agentSpawn: [{ command: 'date' }], onSave: [{ command: 'x' }] },
    promt: 'x',
  });
  const { agent } = readAgent(file, places);
  assert.deepEqual(
    { ...agent, hash: '' },
    {
      name: 'a',
      description: 'does',
      file,
      hash: '',
      prompt:
        'You do.\n\nFiles that belong to your task, as paths or patterns. Read with your tools those that matter:\n- README.md\n- docs/**/*.md',
      model: 'fast',
      tools: ['fs_read', '@git'],
      toolAliases: { '@git/status': 'status' },
      allowedTools: ['fs_read'],
      toolsSettings: { execute_bash: { deniedCommands: ['rm .*'] } },
      mcpServers: {
        git: {
          kind: 'command',
          command: 'git-mcp',
          args: ['--x'],
          env: { A: '1' },
          timeoutMs: 5,
          disabledTools: [],
        },
      },
      hooks: {
        agentSpawn: [
          { command: 'date', matcher: null, timeoutMs: 30_000, maxOutputBytes: 10_240, cacheTtlMs: 0 },
        ],
      },
      outputSchema: null,
      problems: [],
    },
  );
  assert.deepEqual(said(file), [
    'warning $.hooks.onSave: is no event that hooks are run at',
    'warning $.resources[2]: is not used: only file:// paths and patterns are',
    'warning $.resources[3]: is not used: only file:// paths and patterns are',
    'warning $.resources[4]: is not used: only file:// paths and patterns are',
    'warning $.promt: unknown key "promt" is ignored; did you mean "prompt"?',
  ]);
});

test('a Markdown agent of Kiro has its prompt in the body', () => {
  const file = write(
    'ws/.kiro/agents/m.md',
    '---\ndescription: "writes: things"\ntools:\n  - read\n  - "@git/status"\nmodel: fast # the small one\nmcpServers:\n  git:\n    command: git-mcp\n    args: [-x, 3]\n---\nYou write.\n',
  );
  const { agent } = readAgent(file, places);
  assert.deepEqual(
    [agent.name, agent.description, agent.tools, agent.model, agent.prompt],
    ['m', 'writes: things', ['read', '@git/status'], 'fast', 'You write.'],
  );
  // A list of words that are numbers is no list of strings.
  assert.deepEqual(said(file), ['error $.mcpServers.git.args: must be a list of strings, not a list']);
});

test('the front matter: blocks, quotes, JSON; the rest of YAML is refused with its line', () => {
  assert.deepEqual(
    readFrontMatter("---\na: |\n  one\n  two\nb: 'it''s'\nc: {\"x\": [1]}\nd:\n- x\n- true\ne:\n---\nbody"),
    {
      head: { a: 'one\ntwo\n', b: "it's", c: { x: [1] }, d: ['x', true], e: null },
      body: 'body',
    },
  );
  assert.deepEqual(readFrontMatter('no head'), { head: {}, body: 'no head' });
  assert.throws(() => readFrontMatter('---\na: &x 1\n---\n'), {
    message: 'line 2: this part of YAML is not read: &x 1',
  });
  assert.throws(() => readFrontMatter('---\na: 1\n  b: 2\n---\n'), {
    message: 'line 3: is indented too far',
  });
  assert.throws(() => readFrontMatter('---\nnonsense\n---\n'), {
    message: 'line 2: "key: value" is expected',
  });
});

test('a prompt in a file counts only beside the agent or in the workspace', () => {
  write('ws/.amazonq/cli-agents/prompt.md', 'From a file.');
  write('home/secret.txt', 'hidden');
  symlinkSync(join(base, 'home/secret.txt'), join(base, 'ws/.amazonq/cli-agents/link.md'));
  const of = (prompt: string) =>
    readAgent(write('ws/.amazonq/cli-agents/p.json', { prompt, tools: ['*'] }), places).agent;
  assert.equal(of('file://prompt.md').prompt, 'From a file.');
  for (const prompt of [
    'file://link.md',
    `file://${base}/home/secret.txt`,
    'file://../../../home/secret.txt',
  ])
    assert.deepEqual(
      of(prompt).problems.map(({ message }) => message),
      [`${prompt} cannot be used: it lies neither beside the agent file nor in the workspace`],
    );
});

test('what is wrong makes an agent unusable: types, patterns, servers, no JSON', () => {
  const file = write('ws/.amazonq/cli-agents/w.json', {
    tools: 'all',
    toolsSettings: { execute_bash: { deniedCommands: ['('] } },
    mcpServers: { x: { command: 'a', url: 'http://b' }, 'a b': { command: 'a' } },
  });
  const problems = readAgent(file, places).agent.problems.map(({ path, message }) => `${path}: ${message}`);
  assert.deepEqual(
    problems.map((line) => line.replace(/pattern: .*/, 'pattern')),
    [
      '$.tools: must be a list of strings, not the string "all"',
      '$.toolsSettings.execute_bash.deniedCommands[0]: is no pattern',
      '$.mcpServers.x: needs either a command or a url',
      '$.mcpServers.a b: the name may have letters, digits, _ . and -',
    ],
  );
  assert.match(
    readAgent(write('ws/.amazonq/cli-agents/j.json', '{'), places).agent.problems[0]?.message ?? '',
    /JSON/,
  );
  assert.match(
    readAgent(join(base, 'gone.json'), places).agent.problems[0]?.message ?? '',
    /cannot be read: ENOENT/,
  );
});

test('servers of mcp.json are taken where the file asks for it, its own first', () => {
  write('home/.aws/amazonq/mcp.json', { mcpServers: { a: { command: 'user' }, b: { command: 'user' } } });
  write('ws/.amazonq/mcp.json', { mcpServers: { b: { command: 'workspace' }, c: { command: 'workspace' } } });
  const own = { tools: ['*'], mcpServers: { c: { command: 'own' } } };
  const servers = (more: object) =>
    Object.entries(
      readAgent(write('ws/.amazonq/cli-agents/s.json', { ...own, ...more }), places).agent.mcpServers,
    )
      .map(([name, server]) => `${name} ${server.kind === 'command' ? server.command : ''}`)
      .sort();
  assert.deepEqual(servers({}), ['c own']);
  assert.deepEqual(servers({ useLegacyMcpJson: true }), ['a user', 'b workspace', 'c own']);
});

test('a name of an agent is no path', () => {
  write('ws/.amazonq/evil.json', {});
  assert.equal(findAgentFile('../evil', places), null);
});

const driverOf = (content: object): unknown =>
  readAgent(write('ws/.kiro/agents/d.json', { name: 'd', tools: ['*'], ...content }), places).agent.driver;
const driverNotes = (content: object): string[] =>
  said(write('ws/.kiro/agents/d.json', { name: 'd', tools: ['*'], ...content }));

test('hooks are for our own driver alone', () => {
  const hooks = { preToolUse: [{ command: 'x' }] };
  const agentWith = (more: object) =>
    readAgent(write('ws/.kiro/agents/h.json', { name: 'h', tools: ['*'], hooks, ...more }), places);
  assert.deepEqual(agentWith({ driver: 'native' }).agent.hooks?.preToolUse?.length, 1);
  const { agent, notes } = agentWith({ driver: 'acp', profile: 'gemini' });
  assert.equal(agent.hooks, undefined);
  assert.ok(
    notes.some(({ message }) => message === 'hooks are not run by the driver acp'),
    JSON.stringify(notes),
  );
});

test('a driver is named with its profile; without one it is our own', () => {
  assert.deepEqual(driverOf({ driver: 'acp', profile: 'gemini' }), { name: 'acp', profile: 'gemini' });
  assert.deepEqual(driverOf({ driver: 'headless', profile: 'q' }), { name: 'headless', profile: 'q' });
  assert.equal(driverOf({ driver: 'native' }), undefined);
  assert.equal(driverOf({}), undefined);
});

test('a driver or profile that is not there is an error with the nearest one', () => {
  assert.deepEqual(driverNotes({ driver: 'apc', profile: 'gemini' }), [
    'error $.driver: "apc" is no driver; there are native, acp, headless; did you mean "acp"?',
  ]);
  assert.deepEqual(driverNotes({ driver: 'acp', profile: 'gemni' }), [
    'error $.profile: "gemni" is no profile of the driver acp; there are kiro-cli, claude-agent-acp, gemini, opencode, codex; did you mean "gemini"?',
  ]);
  assert.deepEqual(driverNotes({ driver: 'headless', profile: 'gemini' }), [
    'error $.profile: "gemini" is no profile of the driver headless; there are kiro-cli, q',
  ]);
  assert.deepEqual(driverNotes({ driver: 'headless' }), [
    'error $.profile: is missing: the driver headless needs one of kiro-cli, q',
  ]);
  assert.deepEqual(driverNotes({ profile: 'q' }), [
    'error $.profile: needs a driver beside it: "acp" or "headless"',
  ]);
});

test('what only our own driver does is said to be unused', () => {
  assert.deepEqual(driverNotes({ driver: 'acp', profile: 'codex', model: 'fast' }), [
    'warning $.model: is not used: the program chooses its model (driver acp)',
  ]);
});

test('a tool that nobody knows is said, with what was probably meant', () => {
  const tools = [
    'fs_wirte',
    'Bash',
    'gibberish',
    'read',
    'web',
    'use_aws',
    '@git/x',
    '*',
    'fs_*',
    'srv___status',
  ];
  assert.deepEqual(said(write('ws/t.json', { prompt: 'x', tools })), [
    'warning $.tools[0]: "fs_wirte" is no tool here; did you mean "fs_write"?',
    'warning $.tools[1]: "Bash" is no tool here; did you mean "bash"?',
    'warning $.tools[2]: "gibberish" is no tool here',
  ]);
  assert.deepEqual(
    said(write('ws/acp.json', { prompt: 'x', tools: ['Edit'], driver: 'acp', profile: 'gemini' })),
    [],
    'another driver has other names',
  );
});

test('a server that a stronger file disables is enabled by no weaker one, and a file that cannot be read is said', () => {
  const server = (command: string) => ({ command });
  write('off-home/.kiro/settings/mcp.json', {
    mcpServers: { a: server('user'), b: server('user'), c: server('user') },
  });
  write('off/.kiro/settings/mcp.json', { mcpServers: { a: { command: 'ws', disabled: true } } });
  const at = { workspace: join(base, 'off'), home: join(base, 'off-home') };
  const file = write('off/.kiro/agents/off.json', {
    prompt: 'x',
    tools: ['@a', '@b', '@c'],
    includeMcpJson: true,
    mcpServers: { b: { command: 'own', disabled: true } },
  });
  const { agent } = readAgent(file, at);
  assert.deepEqual(Object.keys(agent.mcpServers), ['c']);
  assert.deepEqual(agent.problems, []);
  rmSync(join(base, 'off/.kiro/settings/mcp.json'));
  mkdirSync(join(base, 'off/.kiro/settings/mcp.json'));
  assert.deepEqual(
    readAgent(file, at).agent.problems.map(({ message }) => message),
    [`${join(base, 'off/.kiro/settings/mcp.json')}: cannot be read: it is no regular file`],
  );
});

test('the head of a Markdown file ends at a line of dashes alone', () => {
  assert.deepEqual(readFrontMatter('---\ndescription: see ---\ntools: [read]\n---\nDo it.'), {
    head: { description: 'see ---', tools: ['read'] },
    body: 'Do it.',
  });
  for (const text of ['---\n---\nDo it.', '---\r\n---\r\nDo it.'])
    assert.deepEqual(readFrontMatter(text), { head: {}, body: 'Do it.' });
});

test('an alias that no provider takes, and one that two tools have, are said', () => {
  const toolAliases = { fs_read: 'lire', search: 'lire', exec: 'not a name', fs_list: 'liste' };
  assert.deepEqual(said(write('ws/aliases.json', { prompt: 'x', tools: ['*'], toolAliases })), [
    'warning $.toolAliases.fs_read: "lire" is the alias of search, too: neither may get it',
    'warning $.toolAliases.search: "lire" is the alias of fs_read, too: neither may get it',
    'warning $.toolAliases.exec: "not a name" is not used: a name has letters, digits, _ and -, 64 at most',
  ]);
});

test('a link that a step may have put there gives no key to a model', () => {
  const key = write('home/.ssh/id', 'a key');
  const state = write('state/audit.key', 'a key of ours');
  const kept = process.env['Q_WORKFLOW_HOME'];
  process.env['Q_WORKFLOW_HOME'] = dirname(state);
  try {
    const links = { keys: [key, 'what a home keeps private'], ours: [state, 'the state folder'] } as const;
    mkdirSync(join(base, 'ws/.kiro/agents'), { recursive: true });
    for (const [name, [to, what]] of Object.entries(links)) {
      const file = join(base, 'ws/.kiro/agents', `${name}.md`);
      symlinkSync(to, file);
      const { agent } = readAgent(file, places);
      assert.equal(agent.prompt, '');
      assert.match(
        agent.problems[0]?.message ?? '',
        new RegExp(`^cannot be read: it is a link (to|into) ${what}$`),
      );
    }
  } finally {
    if (kept === undefined) delete process.env['Q_WORKFLOW_HOME'];
    else process.env['Q_WORKFLOW_HOME'] = kept;
  }
  const shared = join(base, 'ws/.kiro/agents/shared.md');
  symlinkSync(write('elsewhere/shared.md', 'You do.'), shared);
  assert.equal(readAgent(shared, places).agent.prompt, 'You do.');
});

const skip = process.getuid?.() === 0 ? false : 'only root can make links of somebody else';
test('a link of another user gives only what is theirs', { skip }, () => {
  const [file, secret] = [join(base, 'ws/.kiro/agents/theirs.md'), write('home/secret.md', 'of root')];
  mkdirSync(dirname(file), { recursive: true });
  symlinkSync(secret, file);
  lchownSync(file, 12_345, 12_345);
  assert.match(
    readAgent(file, places).agent.problems[0]?.message ?? '',
    /theirs\.md is a link of somebody else$/,
  );
  chownSync(secret, 12_345, 12_345);
  assert.equal(readAgent(file, places).agent.prompt, 'of root');
});
