import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { JsonObject } from '../../../src/definition/workflow.ts';
import { pinAgents } from '../../../src/supervisor/definitions/pin-agents.ts';
import { load } from '../../setup/workflows.ts';

async function notesOf(
  t: TestContext,
  folderOfAgents: string,
  guardrails: JsonObject = {},
): Promise<readonly string[]> {
  const workspace = mkdtempSync(join(tmpdir(), 'qw-pins-'));
  t.after(() => rmSync(workspace, { recursive: true }));
  const agents = join(workspace, folderOfAgents);
  mkdirSync(agents, { recursive: true });
  mkdirSync(join(workspace, '.kiro', 'hooks'), { recursive: true });
  writeFileSync(
    join(agents, 'tidy.json'),
    JSON.stringify({ name: 'tidy', prompt: 'Tidy up.', tools: ['read'] }),
  );
  writeFileSync(
    join(workspace, '.kiro', 'hooks', 'guard.json'),
    JSON.stringify({ version: 'v1', hooks: [] }),
  );
  const { workflow } = await load({ steps: [{ id: 'a', type: 'agent', agent: 'tidy', guardrails }] });
  assert.ok(workflow !== null);
  const caller = { workspace, userHome: workspace, configHome: workspace, person: 'x' };
  return pinAgents(workflow, caller).notes;
}

test("hooks that Kiro keeps beside its agents are told of, since they aren't run", async (t) => {
  const [note, ...more] = await notesOf(t, '.kiro/agents');
  assert.match(note ?? '', /^hooks in files of their own are not run: .*\.kiro\/hooks \(guard\.json\)/);
  assert.deepEqual(more, []);
});

test("an agent of Q does not have Kiro's hooks", async (t) => {
  assert.deepEqual(await notesOf(t, '.amazonq/cli-agents'), []);
});

test('a misspelled tool of guardrails is told: it would deny nothing', async (t) => {
  const guardrails = {
    allowed_tools: ['fs_read', 'fs_*', 'serach'],
    denied_tools: ['fs_wirte', '@git/push'],
  };
  assert.deepEqual(await notesOf(t, '.amazonq/cli-agents', guardrails), [
    'step a guardrails.allowed_tools: "serach" is no tool here; did you mean "search"?',
    'step a guardrails.denied_tools: "fs_wirte" is no tool here; did you mean "fs_write"?',
  ]);
});
