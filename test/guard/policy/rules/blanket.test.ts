import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FILES } from '../../../../src/guard/policy/files/file-facts.ts';
import type { PolicyFile, RuleFile } from '../../../../src/guard/policy/files/policy-file.ts';
import { withPolicies } from '../../../../src/guard/policy/files/policy-set.ts';
import { isAllowedWhatever } from '../../../../src/guard/policy/rules/blanket.ts';
import { narrowingPolicy } from '../../../../src/guard/policy/rules/narrowing.ts';
import { callOf, HOME, setOf } from '../../../setup/policies.ts';

async function isTrusted(
  tool: string,
  ...files: readonly Omit<PolicyFile, 'apiVersion' | 'id'>[]
): Promise<boolean> {
  const set = await setOf(
    ...files.map((file, index) => ({ apiVersion: 'policy/v1', id: `f${index}`, ...file }) as PolicyFile),
  );
  return isAllowedWhatever(set, callOf(tool, {}), { files: NO_FILES, home: HOME });
}
const top = (effect: 'allow' | 'ask' | 'deny', ...rules: readonly RuleFile[]): PolicyFile =>
  ({ layer: 'user', default: effect, rules }) as unknown as PolicyFile;
const READ: RuleFile = { id: 'r', effect: 'allow', tool: 'fs_read' };

test('a tool is trusted by a rule without conditions or by the default, in every layer', async () => {
  assert.equal(await isTrusted('fs_read', top('deny', READ)), true);
  assert.equal(await isTrusted('fs_read', top('allow')), true);
  assert.equal(await isTrusted('fs_read', top('deny')), false);
  assert.equal(await isTrusted('fs_read', top('ask')), false);
  const below = (rules: readonly RuleFile[]): PolicyFile =>
    ({ layer: 'workspace', rules }) as unknown as PolicyFile;
  assert.equal(await isTrusted('fs_read', top('deny', READ), below([])), true);
  assert.equal(await isTrusted('fs_read', top('allow'), { ...below([]), default: 'ask' }), false);
  assert.equal(await isTrusted('fs_read', top('allow'), { ...below([READ]), default: 'ask' }), true);
});

test('a rule with any condition permits no trust', async () => {
  const conditions: readonly Partial<RuleFile>[] = [
    { path: { within: ['${workspace}'] } },
    { args: { type: 'object' } },
    { when: 'true' },
    { rate: { per_minute: 5 } },
  ];
  for (const condition of conditions)
    assert.equal(
      await isTrusted('fs_read', top('deny', { ...READ, ...condition })),
      false,
      JSON.stringify(condition),
    );
});

test('a rule that denies or asks of the tool, ever, takes the trust away', async () => {
  const rules: readonly RuleFile[] = [
    { id: 'x', effect: 'deny', tool: 'fs_read', path: '**/.env' },
    { id: 'x', effect: 'deny', path: '**/.env' },
    { id: 'x', effect: 'ask', tool: 'fs_*', when: "args.path == 'x'" },
    { id: 'x', effect: 'deny', tool: '*', args: { required: ['start_line'] } },
    { id: 'x', effect: 'ask', tool: 'read' },
  ];
  for (const rule of rules)
    assert.equal(await isTrusted('fs_read', top('allow', rule)), false, JSON.stringify(rule));
  assert.equal(await isTrusted('fs_read', top('allow', { id: 'x', effect: 'deny', tool: 'fs_write' })), true);
  assert.equal(
    await isTrusted('fs_read', top('allow', { id: 'x', effect: 'deny', command: 'git push' })),
    true,
  );
});

test('what writes, runs commands or is not ours is never trusted', async () => {
  for (const tool of ['fs_write', 'exec', 'execute_bash', '@git/status', 'unheard_of'])
    assert.equal(await isTrusted(tool, top('allow')), false, tool);
});

test('an agent file and guardrails narrow it', async () => {
  const set = await setOf({ apiVersion: 'policy/v1', id: 'f', ...top('allow') } as PolicyFile);
  const trusts = (narrowing: Parameters<typeof narrowingPolicy>[2]): boolean =>
    isAllowedWhatever(withPolicies(set, [narrowingPolicy('agent', 'a', narrowing)]), callOf('fs_read', {}), {
      files: NO_FILES,
      home: HOME,
    });
  assert.equal(trusts({ allowedTools: ['fs_read'] }), true);
  assert.equal(trusts({ allowedTools: ['search'] }), false);
  assert.equal(trusts({ deniedTools: ['fs_read'] }), false);
});
