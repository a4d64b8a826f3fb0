import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { probeLayers } from '../../sandbox/layers.ts';
import type { ReplayDocument } from '../../src/cli/policy-replay.ts';
import { openAgentBench } from '../setup/agents.ts';

const { bubblewrap, seccomp } = await probeLayers();
const lacks = [bubblewrap, seccomp].map(({ note }) => note).find((note) => note !== '') ?? false;

test('replay says which recorded calls other policies would decide differently, and runs nothing', {
  timeout: 60_000,
  skip: lacks,
}, async (t) => {
  const calls = [
    { name: 'execute_bash', args: { command: 'echo ran >> ran.txt' } },
    { name: 'fs_list', args: {} },
  ];
  const desk = await openAgentBench({ turns: [{ calls }, { text: 'done' }], after: 'fail' });
  t.after(() => desk.close());
  desk.workflow('one', { guardrails: { denied_tools: ['fs_write'] } });
  const { run } = await desk.run('one');
  assert.equal(run.status, 'completed');
  const replay = async (...words: string[]): Promise<ReplayDocument> =>
    (await desk.bench.json('policy', 'replay', '--since', '1h', ...words)) as ReplayDocument;

  const same = await replay();
  assert.deepEqual([same.changed, same.replayed > 3], [[], true]);

  const file = join(desk.bench.workspace, 'stricter.json');
  const rules = [{ id: 'no-shell', effect: 'deny', tool: 'execute_bash', reason: 'no shells' }];
  writeFileSync(file, JSON.stringify({ apiVersion: 'policy/v1', layer: 'user', default: 'allow', rules }));
  const other = await replay('--policy', file);
  assert.deepEqual(
    other.changed.map(({ instance, tool, args, decision, now }) => [
      instance,
      tool,
      args,
      decision,
      now.decision,
      now.rules,
    ]),
    [[run.id, 'execute_bash', calls[0]?.args, 'allow', 'deny', ['user/stricter#no-shell']]],
  );
  const { stdout } = await desk.bench.q('policy', 'replay', '--policy', file);
  assert.match(
    stdout,
    /^allow → deny {2}execute_bash \{"command":"echo ran >> ran\.txt"\}\n {2}record \d+, \w+ a: no shells/,
  );
  assert.match(stdout, /1 of \d+ recorded calls would change\n$/);
  assert.equal(desk.provider.requests.length, 2);
});
