/** A folder that looks like a repository of git may say what git runs: an agent that writes files could make one. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import { openAgentBench } from '../setup/agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

const write = (path: string, content: string) => ({ name: 'fs_write', args: { path, content } });
const CONFIG =
  '[core]\n\trepositoryformatversion = 0\n\tbare = false\n\tworktree = tree\n\tfsmonitor = "touch ../ran; false"\n';

test('git in a sandbox of an agent takes no folder for a repository that is none by its name', {
  timeout: 60_000,
  skip: lacks,
}, async (t) => {
  const desk = await openAgentBench({
    turns: [
      {
        calls: [
          write('made/HEAD', 'ref: refs/heads/main\n'),
          write('made/config', CONFIG),
          write('made/objects/x', ''),
          write('made/refs/x', ''),
          write('made/tree/a', ''),
        ],
      },
      {
        calls: [
          // No reader of a command knows where this is.
          { name: 'execute_bash', args: { command: 'd=$(echo made); cd $d; git status' } },
          { name: 'execute_bash', args: { command: 'git status --short' } },
        ],
      },
      { text: 'done' },
    ],
  });
  t.after(() => desk.close());
  const { workspace } = desk.bench;
  execFileSync('git', ['init', '-q', '.'], { cwd: workspace });
  desk.workflow('w');
  const { run } = await desk.run('w');
  assert.equal(run.status, 'completed', JSON.stringify(run.error));
  const ended = desk
    .agentEvents(run.id)
    .flatMap((event) => (event.type === 'agent.tool_ended' ? [`${event.call} ${event.outcome}`] : []));
  assert.deepEqual(ended.filter((line) => line.startsWith('c2')).sort(), ['c2-1 error', 'c2-2 ok']);
  assert.ok(existsSync(join(workspace, 'made/HEAD')));
  assert.ok(!existsSync(join(workspace, 'ran')) && !existsSync(join(workspace, 'made/ran')));
});
