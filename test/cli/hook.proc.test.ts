import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { type Bench, type Finished, finish, openBench } from '../setup/bench-home.ts';

describe('hook', { timeout: 300_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
  });
  after(() => bench.close());

  const policies = (): string => join(bench.workspace, '.amazonq', 'policies');
  const userPolicies = (): string => join(bench.env['HOME'] ?? '', '.config', 'q-workflow', 'policies');
  beforeEach(() => {
    for (const folder of [policies(), userPolicies()]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
    rmSync(join(bench.home, 'kill'), { recursive: true, force: true });
    writeFileSync(
      join(userPolicies(), 'base.json'),
      JSON.stringify({
        apiVersion: 'policy/v1',
        default: 'deny',
        rules: [
          { id: 'all', effect: 'allow', tool: '*' },
          { id: 'no-push', effect: 'deny', command: 'git push', reason: 'people publish' },
          { id: 'no-secrets', effect: 'deny', path: ['**/.env', '**/*.pem'] },
          { id: 'no-aws', effect: 'deny', tool: 'use_aws' },
          { id: 'no-agents', effect: 'deny', tool: 'delegate' },
          { id: 'careful', effect: 'ask', tool: '@deploy' },
          { id: 'not-for-bots', effect: 'deny', tool: 'fs_write', when: "agent == 'bot'" },
        ],
      }),
      { mode: 0o644 },
    );
  });

  const give = async (text: string, ...flags: readonly string[]): Promise<Finished> => {
    const child = bench.start(['hook', ...flags]);
    // It may end before it has read all.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(text);
    return finish(child);
  };
  const event = (tool: string, input: object, more: object = {}): string =>
    JSON.stringify({
      hook_event_name: 'preToolUse',
      cwd: bench.workspace,
      tool_name: tool,
      tool_input: input,
      ...more,
    });
  const shell = (command: string): string => event('execute_bash', { command, summary: 'does it' });

  test('what is allowed exits 0 and says nothing', async () => {
    assert.deepEqual(await give(shell('git status')), { status: 0, stdout: '', stderr: '' });
    assert.deepEqual(await give(event('fs_write', { command: 'create', path: 'a.txt', file_text: 'x' })), {
      status: 0,
      stdout: '',
      stderr: '',
    });
  });

  test('what is denied exits 2 and tells the model the rule, on stderr alone', async () => {
    assert.deepEqual(await give(shell('git push')), {
      status: 2,
      stdout: '',
      stderr:
        'q workflow: the policy denies execute_bash: people publish (git push) [user/base#no-push]. It was not run. Do not try the same in another way; tell the person.\n',
    });
  });

  test('what a person would be asked about is blocked as well, and says that a person must decide', async () => {
    const { status, stderr } = await give(event('@deploy/production', { version: '1' }));
    assert.equal(status, 2);
    assert.match(stderr, /^q workflow: the policy wants a person to decide about @deploy\/production: /);
    assert.match(stderr, /Tell the person what you wanted to do and why/);
  });

  test('--json prints the decision as well', async () => {
    const { status, stdout } = await give(shell('git push'), '--json');
    assert.equal(status, 2);
    assert.deepEqual(JSON.parse(stdout), {
      decision: 'deny',
      tool: 'execute_bash',
      reason: 'people publish (git push)',
      rules: ['user/base#no-push'],
      kill_switch: null,
    });
  });

  test('each name of a tool is judged as that tool', async () => {
    const inputs: Readonly<Record<string, object>> = {
      fs_read: { operations: [{ mode: 'Line', path: '.env' }] },
      fs_write: { command: 'create', path: '.env', file_text: 'x' },
      search: { pattern: 'x', path: '.env' },
      execute_bash: { command: 'git push' },
      use_aws: { service_name: 's3', operation_name: 'ls', region: 'x', label: 'x' },
      delegate: { agent: 'x', task: 'y' },
    };
    // Q's names, then Kiro's.
    const names: Readonly<Record<string, readonly string[]>> = {
      fs_read: ['fs_read', 'read'],
      fs_write: ['fs_write', 'write'],
      search: ['grep', 'glob'],
      execute_bash: ['execute_bash', 'shell', 'execute_cmd'],
      use_aws: ['use_aws', 'aws'],
      delegate: ['delegate', 'subagent', 'use_subagent'],
    };
    assert.deepEqual(Object.keys(names), Object.keys(inputs));
    for (const [tool, input] of Object.entries(inputs)) {
      await Promise.all(
        (names[tool] ?? []).map(async (name) => {
          const { status, stderr } = await give(event(name, input));
          assert.equal(status, 2, `${name}: ${stderr}`);
          assert.match(stderr, new RegExp(`the policy denies ${name}: .* \\[user/base#no-`));
        }),
      );
    }
  });

  test('tries to get round a rule are seen', async () => {
    const tries: readonly string[] = [
      shell('true; GIT  -C . push'),
      shell('env A=1 nice git push'),
      shell('sh -c "git push"'),
      shell('cat < ./x/../.env'),
      event('fs_read ', { path: '.ENV' }),
      event('fs_read', {
        operations: [
          { mode: 'Line', path: 'a' },
          { mode: 'Line', path: 'x/../.env' },
        ],
      }),
      event('shell', { command: 'cat env', working_dir: '/proc/self' }),
      event('shell', { command: 'cat .env', cwd: '.', working_dir: '/' }),
      event('notes___save', { file: '.env' }),
      event('deploy___production', {}),
      // The second of two keys of one name is what other readers take.
      shell('git status').replace('"tool_input"', '"tool_input":{"command":"git status"},"tool_input"'),
      shell('git status').replace('"tool_name"', '"tool_name":"fs_list","tool_name"'),
    ];
    for (const text of tries) {
      const { status, stderr } = await give(text);
      assert.equal(status, 2, text);
      assert.match(stderr, /^(q workflow: |error the hook event )/, text);
    }
  });

  test('the name of an agent counts in rules', async () => {
    const write = event('fs_write', { command: 'create', path: 'a.txt', file_text: 'x' });
    assert.equal((await give(write, '--agent', 'bot')).status, 2);
    assert.equal((await give(write, '--agent', 'person')).status, 0);
  });

  test('an event that is not understood is blocked, with a message and no stack', async () => {
    const wrong: readonly (readonly [string, RegExp])[] = [
      ['', /the hook event is empty/],
      ['{', /the hook event cannot be used: not valid JSON/],
      ['[]', /the hook event is no JSON object/],
      ['{}', /the hook event is null, and only preToolUse is decided here/],
      ['{"hook_event_name":"stop"}', /the hook event is "stop", and only preToolUse/],
      ['{"hook_event_name":"preToolUse"}', /has no "tool_name"/],
      ['{"hook_event_name":"preToolUse","tool_name":7}', /has no "tool_name"/],
      ['{"hook_event_name":"preToolUse","tool_name":"x","tool_input":"y"}', /"tool_input" that is no JSON/],
      ['{"hook_event_name":"preToolUse","tool_name":"x","cwd":1}', /"cwd" that is no text/],
    ];
    for (const [text, message] of wrong) {
      const { status, stdout, stderr } = await give(text);
      assert.deepEqual([status, stdout], [2, ''], text);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
    assert.equal((await give('{}', '--nosuchflag')).status, 2);
    assert.equal((await give('{}', '--timeout', 'x')).status, 2);
  });

  test('a policy that cannot be used blocks everything, and says which', async () => {
    const file = join(policies(), 'broken.json');
    writeFileSync(file, '{"apiVersion": "policy/v1", "rules": [{}]}', { mode: 0o644 });
    const broken = await give(shell('git status'));
    assert.equal(broken.status, 2);
    assert.match(broken.stderr, /broken/);
    writeFileSync(file, '{"apiVersion": "policy/v1", "rules": []}');
    chmodSync(file, 0o666);
    assert.equal((await give(shell('git status'))).status, 2);
    chmodSync(file, 0o644);
    assert.equal((await give(shell('git status'))).status, 0);
  });

  test('a policy that is a pipe does not hold it up', async () => {
    execFileSync('mkfifo', [join(policies(), 'pipe.json')]);
    const { status, stderr } = await give(shell('git status'));
    assert.equal(status, 2);
    assert.match(stderr, /pipe\.json is no regular file|it is no regular file/);
  });

  test('a tripped kill switch blocks: global, of the agent, of the tool, of its server', async () => {
    const blocks = async (scope: string, text: string, ...flags: readonly string[]): Promise<void> => {
      assert.equal((await give(text, ...flags)).status, 0, `before ${scope}`);
      const { status, stderr } = await bench.q('kill', scope, '--reason', 'test');
      assert.equal(status, 0, stderr);
      const held = await give(text, ...flags);
      assert.equal(held.status, 2, scope);
      assert.match(held.stderr, new RegExp(`a kill switch holds .*: the kill switch ${scope} is tripped`));
      rmSync(join(bench.home, 'kill'), { recursive: true, force: true });
    };
    await blocks('global', shell('git status'));
    await blocks('tool:execute_bash', event('shell', { command: 'git status' }));
    await blocks('tool:@notes', event('@notes/save', { text: 'x' }));
    await blocks('tool:@notes/save', event('notes___save', { text: 'x' }));
    await blocks('agent:helper', shell('git status'), '--agent', 'helper');
  });

  test('switches that nobody can look at count as tripped', async () => {
    mkdirSync(bench.home, { recursive: true });
    writeFileSync(join(bench.home, 'kill'), 'no folder');
    const { status, stderr } = await give(shell('git status'));
    assert.equal(status, 2);
    assert.match(stderr, /the kill switch global is tripped, or nobody can see that it is not/);
  });

  test('a huge event is read to its end and blocked', async () => {
    const { status, stderr } = await give(event('fs_write', { path: 'a', content: 'x'.repeat(10_000_000) }));
    assert.equal(status, 2);
    assert.match(stderr, /the hook event has 100\d{5} bytes, and what is larger than 4194304 is not judged/);
    assert.equal((await give('['.repeat(4_000_000))).status, 2);
    assert.equal((await give(event('fs_write', { path: 'a', content: 'x\n'.repeat(1_000_000) }))).status, 0);
  });

  test('an event that does not end is blocked when the time is over', async () => {
    const child = bench.start(['hook', '--timeout', '1']);
    child.stdin?.write('{"hook_event_name":');
    const { status, stderr } = await finish(child, 20_000);
    assert.deepEqual([status, stderr], [2, 'q workflow: no decision in 1 s, so the tool is not run.\n']);
  });

  test('it needs no supervisor and starts none', async () => {
    const home = mkdtempSync(join(tmpdir(), 'qw-none-'));
    try {
      const child = bench.start(['hook'], { Q_WORKFLOW_HOME: join(home, 'state') });
      child.stdin?.end(shell('git status'));
      assert.equal((await finish(child)).status, 0);
      assert.throws(() => execFileSync('ls', [join(home, 'state')], { stdio: 'ignore' }));
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  });
});
