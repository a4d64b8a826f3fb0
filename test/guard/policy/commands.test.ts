import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RuleFile } from '../../../src/guard/policy/files/policy-file.ts';
import { bash, callOf, setOf, verdictOf } from '../../setup/policies.ts';
import { ALLOWED, NEVER_ALLOWED, NO_PUSH, PUSH_ATTEMPTS } from '../bypasses/commands.ts';

const FORMS: readonly RuleFile['command'][] = [
  'git push',
  ['hg push', 'git push'],
  { program: 'git', subcommand: 'push' },
  { program: ['git', 'hg'], subcommand: ['push', 'send-pack'] },
];

for (const command of FORMS)
  test(`git push is denied in every disguise by ${JSON.stringify(command)}`, async () => {
    const set = await setOf({
      default: 'allow',
      rules: [{ id: 'no-push', effect: 'deny', tool: 'execute_bash', command: command ?? [] }],
    });
    const allowed = PUSH_ATTEMPTS.filter((each) => verdictOf(set, bash(each)).decision === 'allow');
    assert.deepEqual(allowed, []);
    const undenied = PUSH_ATTEMPTS.filter((each) => verdictOf(set, bash(each)).decision === 'ask');
    assert.deepEqual(undenied, []);
    assert.deepEqual(
      NO_PUSH.filter((each) => verdictOf(set, bash(each)).decision !== 'allow'),
      [],
    );
  });

test('a rule for a shell holds for exec too', async () => {
  const set = await setOf({
    default: 'allow',
    rules: [{ effect: 'deny', tool: 'execute_bash', command: 'git push' }],
  });
  const exec = (...argv: string[]): string => verdictOf(set, callOf('exec', { argv })).decision;
  assert.equal(exec('git', 'push'), 'deny');
  assert.equal(exec('/usr/bin/git', '-C', 'x', 'push'), 'deny');
  assert.equal(exec('sh', '-c', 'git push'), 'deny');
  assert.equal(exec('env', 'git', 'push'), 'deny');
  assert.equal(exec('git', 'status'), 'allow');
  assert.equal(verdictOf(set, callOf('exec', { argv: ['sh'], stdin: 'git push' })).decision, 'deny');
});

test('only what plain rules allow is allowed, part by part', async () => {
  const set = await setOf({
    default: 'deny',
    rules: [
      {
        effect: 'allow',
        tool: 'execute_bash',
        command: ['git status', 'npm test', 'ls', 'cat', 'echo', { program: 'node' }],
      },
    ],
  });
  assert.deepEqual(
    NEVER_ALLOWED.filter((each) => verdictOf(set, bash(each)).decision === 'allow'),
    [],
  );
  assert.deepEqual(
    ALLOWED.filter((each) => verdictOf(set, bash(each)).decision !== 'allow'),
    [],
  );
});

test('a redirect needs a rule of its own, on its path', async () => {
  const set = await setOf({
    default: 'deny',
    rules: [
      { effect: 'allow', tool: 'execute_bash', command: 'echo' },
      { effect: 'allow', tool: 'fs_write', path: 'out/**' },
    ],
  });
  const decision = (command: string): string => verdictOf(set, bash(command)).decision;
  assert.equal(decision('echo x > out/a'), 'allow');
  assert.equal(decision('echo x > a'), 'deny');
  assert.equal(decision('echo x < out/a'), 'deny');
  assert.equal(decision('cd out && echo x > a'), 'deny');
  assert.equal(decision('echo x > out/../a'), 'deny');
});

test('args of a guard fit any argument, however it is written', async () => {
  const set = await setOf({
    default: 'allow',
    rules: [{ effect: 'deny', command: { program: 'git', subcommand: 'push', args: ['--force', '-f'] } }],
  });
  const decision = (command: string): string => verdictOf(set, bash(command)).decision;
  for (const command of [
    'git push --force',
    'git push origin --force',
    'git push --forc',
    'git push --force=x',
    'git push -f',
    'git push -vf',
    'git push $X',
    'git push "$@"',
  ])
    assert.equal(decision(command), 'deny', command);
  for (const command of ['git push', 'git push --follow-tags', 'git push origin main', 'git commit --force'])
    assert.equal(decision(command), 'allow', command);
});

test('args of a permission must hold for every argument', async () => {
  const set = await setOf({
    default: 'deny',
    rules: [
      { effect: 'allow', command: { program: 'npm', subcommand: 'run', args: ['build', 'lint:*'] } },
      { effect: 'allow', command: { program: 'git', subcommand: 'log', args: { none: ['--output*'] } } },
    ],
  });
  const decision = (command: string): string => verdictOf(set, bash(command)).decision;
  for (const command of ['npm run build', 'npm run lint:all', 'git log -3'])
    assert.equal(decision(command), 'allow', command);
  for (const command of [
    'npm run deploy',
    'npm run build --x',
    'npm run $X',
    'git log --output=x',
    'git log --out x',
  ])
    assert.equal(decision(command), 'deny', command);
});

test('code in arguments needs the word of the rule', async () => {
  const set = await setOf({
    default: 'deny',
    rules: [
      { effect: 'allow', command: { program: 'python3', code: true } },
      { effect: 'allow', command: 'node scripts/build.js' },
    ],
  });
  const decision = (command: string): string => verdictOf(set, bash(command)).decision;
  assert.equal(decision('python3 -c "print(1)"'), 'allow');
  assert.equal(decision('node scripts/build.js'), 'allow');
  assert.equal(decision('node scripts/build.js -e x'), 'deny');
  assert.equal(decision('node -e x'), 'deny');
});

test('what cannot be read asks where a rule asks, and is never better than the default', async () => {
  const broken = 'ls "';
  const decision = async (fallback: 'allow' | 'ask' | 'deny', effect: 'allow' | 'ask'): Promise<string> =>
    verdictOf(await setOf({ default: fallback, rules: [{ effect, tool: 'execute_bash' }] }), bash(broken))
      .decision;
  assert.equal(await decision('allow', 'allow'), 'ask');
  assert.equal(await decision('ask', 'allow'), 'ask');
  assert.equal(await decision('deny', 'allow'), 'deny');
  assert.equal(await decision('deny', 'ask'), 'ask');
});

test('a lower layer that asks does not lift the default for what cannot be read', async () => {
  const set = await setOf(
    { default: 'deny', rules: [{ effect: 'allow', tool: 'execute_bash' }] },
    { layer: 'step', rules: [{ effect: 'ask', tool: 'execute_bash' }] },
  );
  assert.equal(verdictOf(set, bash('ls "')).decision, 'deny');
});

test('a command that starts outside the workspace is at best asked about', async () => {
  const set = await setOf({
    default: 'deny',
    rules: [{ effect: 'allow', tool: 'execute_bash', command: 'make' }],
  });
  const decision = (cwd: string): string =>
    verdictOf(set, callOf('execute_bash', { command: 'make', cwd })).decision;
  assert.equal(decision('sub'), 'allow');
  assert.equal(decision('/tmp/evil'), 'ask');
  assert.equal(decision('../other'), 'ask');
});
