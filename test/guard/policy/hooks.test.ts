import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { PolicyFile, RuleFile } from '../../../src/guard/policy/files/policy-file.ts';
import { callOf, loadText, setOf, verdictOf } from '../../setup/policies.ts';

const hookCall = (command: string, event = 'preToolUse') =>
  callOf(event, { event, command, tool: 'fs_write' }, { kind: 'hook', agent: 'helper' });

async function decisionOf(file: Partial<PolicyFile>, command: string, event?: string): Promise<string> {
  const set = await setOf({ id: 'top', layer: 'user', ...file });
  return verdictOf(set, hookCall(command, event)).decision;
}

const allow = (more: Partial<RuleFile>): Partial<PolicyFile> => ({
  default: 'deny',
  rules: [{ effect: 'allow', ...more }],
});
const guard = (more: Partial<RuleFile> & Pick<RuleFile, 'effect'>): Partial<PolicyFile> => ({
  default: 'ask',
  rules: [{ effect: 'allow', tool: 'hook:*' }, more],
});

describe('what policies say of hooks', () => {
  test('without a rule the default of the top layer counts', async () => {
    for (const fallback of ['allow', 'ask', 'deny'] as const)
      assert.equal(await decisionOf({ default: fallback }, 'date'), fallback);
    assert.equal(await decisionOf({}, 'date'), 'deny');
  });

  test('only a rule for hooks allows one, by event, command, arguments or agent', async () => {
    assert.equal(await decisionOf(allow({ tool: 'hook:*' }), 'date'), 'allow');
    assert.equal(await decisionOf(allow({ tool: 'hook:pre*' }), 'date'), 'allow');
    assert.equal(await decisionOf(allow({ tool: 'hook:preToolUse' }), 'date', 'stop'), 'deny');
    assert.equal(await decisionOf(allow({ tool: 'hook:*', command: 'git status' }), 'git status'), 'allow');
    assert.equal(
      await decisionOf(allow({ tool: 'hook:*', command: 'git status' }), 'git status; date'),
      'deny',
    );
    assert.equal(await decisionOf(allow({ tool: 'hook:*', when: 'agent == "helper"' }), 'date'), 'allow');
    assert.equal(await decisionOf(allow({ tool: 'hook:*', when: 'args.tool == "exec"' }), 'date'), 'deny');
    for (const tool of ['*', '@builtin', 'execute_bash', 'spawn:*', 'h*', 'preToolUse'])
      assert.equal(await decisionOf(allow({ tool }), 'date'), 'deny', tool);
    assert.equal(await decisionOf(allow({ command: 'date' }), 'date'), 'deny');
    assert.equal(await decisionOf(allow({ tool: 'hook:*' }), 'date', 'preToolUse'), 'allow');
  });

  test('a rule for hooks allows no call of a tool', async () => {
    const set = await setOf({ id: 'top', layer: 'user', ...allow({ tool: 'hook:*' }) });
    for (const tool of ['execute_bash', 'hook:preToolUse', 'hook'])
      assert.equal(verdictOf(set, callOf(tool, { command: 'date' })).decision, 'deny', tool);
  });

  test('what is denied or asked of commands, files and hosts holds for them', async () => {
    for (const effect of ['ask', 'deny'] as const) {
      assert.equal(await decisionOf(guard({ effect, command: 'git push' }), 'cat; git push'), effect);
      assert.equal(
        await decisionOf(guard({ effect, tool: 'execute_bash', command: 'git push' }), 'git push'),
        effect,
      );
      assert.equal(
        await decisionOf(guard({ effect, tool: 'fs_write', path: 'out' }), 'date > out/x'),
        effect,
      );
      assert.equal(await decisionOf(guard({ effect, path: '.env' }), 'cat .env'), effect);
      assert.equal(
        await decisionOf(guard({ effect, host: 'evil.example' }), 'curl https://evil.example/'),
        effect,
      );
      assert.equal(await decisionOf(guard({ effect, tool: 'hook:stop' }), 'date'), 'allow');
      assert.equal(await decisionOf(guard({ effect, tool: 'fs_read' }), 'date'), 'allow');
      assert.equal(await decisionOf(guard({ effect, tool: '@git' }), 'date'), 'allow');
    }
  });

  test('where shells are denied, there is none for a hook; where they are asked about, hooks are by themselves', async () => {
    assert.equal(await decisionOf(guard({ effect: 'deny', tool: 'execute_bash' }), 'date'), 'deny');
    assert.equal(await decisionOf(guard({ effect: 'deny', tool: '*' }), 'date'), 'deny');
    assert.equal(await decisionOf(guard({ effect: 'ask', tool: 'execute_bash' }), 'date'), 'allow');
  });

  test('a command that nobody can read is not allowed by a rule', async () => {
    for (const command of ['eval "$X"', '"$(cat x)" y', 'date; (']) {
      assert.equal(
        await decisionOf({ ...guard({ effect: 'deny', tool: 'fs_read' }) }, command),
        'ask',
        command,
      );
      assert.equal(await decisionOf(allow({ tool: 'hook:*' }), command), 'deny', command);
    }
  });

  test('a script in a folder of hooks is run, and nothing there is written', async () => {
    for (const command of [
      'node .kiro/hooks/check.mjs',
      'bash .amazonq/hooks/check.sh',
      '.kiro/hooks/check.sh',
    ])
      assert.equal(await decisionOf(allow({ tool: 'hook:*' }), command), 'allow', command);
    for (const command of [
      'cp x .kiro/hooks/check.sh',
      'date > .git/config',
      'rm .amazonq/cli-agents/a.json',
    ])
      assert.equal(await decisionOf(allow({ tool: 'hook:*' }), command), 'deny', command);
  });

  test('inline tests of a rule know them', async () => {
    const rule = { id: 'checks', effect: 'allow', tool: 'hook:*', command: 'date' };
    const call = (command: string) => ({ tool: 'hook:stop', args: { command } });
    const file = (match: string, noMatch: string): string =>
      JSON.stringify({
        apiVersion: 'policy/v1',
        id: 'x',
        rules: [{ ...rule, tests: { match: [call(match)], noMatch: [call(noMatch)] } }],
      });
    assert.equal((await loadText(file('date', 'git push'))).policy.fault, null);
    assert.match((await loadText(file('git push', 'date'))).policy.fault ?? '', /test/);
  });
});
