import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import type { Scenario } from '../provider/scenario.ts';
import { openAgentBench } from '../setup/agents.ts';
import { ROOT } from '../setup/bench-home.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;
const SERVER = '@modelcontextprotocol/server-filesystem@2026';

test('mcp-files answers with the tools of a server of the npm registry, in the sandbox', {
  timeout: 180_000,
  skip: lacks,
}, async (t) => {
  const scenario = JSON.parse(
    readFileSync(join(ROOT, 'examples/mcp-files-scenario.json'), 'utf8'),
  ) as Scenario;
  const desk = await openAgentBench(scenario);
  t.after(() => desk.close());
  const { workspace } = desk.bench;
  const install = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--prefix', workspace, SERVER], {
    encoding: 'utf8',
    timeout: 120_000,
  });
  if (install.status !== 0) {
    t.skip(`the package registry cannot be reached: ${install.stderr.slice(0, 200)}`);
    return;
  }
  for (const name of ['.amazonq/cli-agents/archivist.json', '.q-skills/remark.json', 'docs', 'examples']) {
    mkdirSync(join(workspace, name, '..'), { recursive: true });
    cpSync(join(ROOT, name), join(workspace, name), { recursive: true });
  }
  const { run } = await desk.run(join(workspace, 'examples/mcp-files.json'));
  assert.equal(run.status, 'completed', JSON.stringify(run.error));
  const tell = (run as StatusDocument).steps.find(({ id }) => id === 'tell');
  assert.match(JSON.stringify(tell?.outputs), /described in docs\/audit\.md/);
  const ended = desk
    .agentEvents(run.id)
    .flatMap((event) => (event.type === 'agent.tool_ended' ? [[event.outcome, event.result] as const] : []));
  assert.deepEqual(
    ended.map(([outcome]) => outcome),
    ['ok', 'ok'],
    JSON.stringify(ended),
  );
  assert.match(JSON.stringify(ended[0]?.[1]), /audit\.md/);
  assert.match(JSON.stringify(ended[1]?.[1]), /audit log/i);
});
