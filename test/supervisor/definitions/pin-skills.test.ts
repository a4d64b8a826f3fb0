import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pinSkills } from '../../../src/supervisor/definitions/pin-skills.ts';
import { load, skill } from '../../setup/workflows.ts';

test('a missing skill or agent and a broken one are told with the place that names them', async (t) => {
  const workspace = mkdtempSync(join(tmpdir(), 'qw-pins-'));
  t.after(() => rmSync(workspace, { recursive: true }));
  mkdirSync(join(workspace, '.q-skills'));
  writeFileSync(
    join(workspace, '.q-skills', 'run.json'),
    JSON.stringify({ name: 'run', type: 'code_inline' }),
  );
  const { workflow, places } = await load({
    steps: [
      { id: 'p', type: 'parallel', steps: [skill('a', { skill: 'run' })] },
      { id: 'b', type: 'agent', agent: 'nobody' },
    ],
    error_handling: { per_step: { a: { strategy: 'custom', custom_handler: 'tidy' } } },
  });
  assert.ok(workflow !== null);
  const caller = { workspace, userHome: workspace, configHome: workspace, person: 'x' };
  const told = (...known: [typeof places] | []): readonly string[] => {
    try {
      pinSkills(workflow, caller, ...known);
    } catch (error) {
      return (error as { problems: { path: string }[] }).problems.map(({ path }) => path);
    }
    return [];
  };
  assert.deepEqual(told(places), [
    '$.error_handling.per_step.a.custom_handler',
    '$.steps[0].steps[0].skill',
    '$.steps[1].agent',
  ]);
  // What was pinned by an earlier run has no file beside it.
  assert.deepEqual(told(), ['step tidy', 'step a', 'step b']);
});
