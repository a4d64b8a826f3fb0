import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { openBench } from '../setup/bench-home.ts';

const noBubblewrap = spawnSync('bwrap', ['--version']).status === 0 ? false : 'bwrap is not installed';

test('a step whose workspace is the whole home sees neither the key nor the anchor of the audit log', {
  timeout: 120_000,
  skip: noBubblewrap,
}, async () => {
  const bench = openBench();
  try {
    const base = join(bench.home, '..');
    bench.skill('look', {
      type: 'code_inline',
      command: 'sh',
      args: [
        '-c',
        `ls -A "${base}/.local/share/q-workflow/anchors" "${bench.home}/keys" 2>&1
         echo x >>"${base}/.local/share/q-workflow/anchors/x" && echo written; ls -d "${base}/ws"`,
      ],
    });
    const file = bench.workflow('look', { steps: [{ id: 'a', type: 'skill', skill: 'look' }] });
    const { anchor } = (await bench.json('audit', 'key')) as { anchor: string };
    assert.equal(spawnSync('cp', ['-r', join(bench.workspace, '.q-skills'), base]).status, 0);
    const run = await bench.q('run', file, '--workspace', base, '--json');
    const { steps } = JSON.parse(run.stdout) as { steps: { outputs: { stdout: string } }[] };
    const said = steps[0]?.outputs.stdout ?? '';
    assert.match(said, new RegExp(`${base}/ws`), 'the workspace is in view');
    assert.doesNotMatch(said, /\.jsonl|\.key|written/);
    assert.ok(anchor.startsWith(join(base, '.local', 'share', 'q-workflow', 'anchors')));
  } finally {
    await bench.close();
  }
});
