import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { scratchFolder } from '../../../src/supervisor/sandboxes/scratch.ts';
import { type Bench, openBench } from '../../setup/bench-home.ts';
import { endOf, outputsOf, pidIn, runToEnd, startRun } from '../../setup/leftovers.ts';

describe('the scratch folder of an instance', { timeout: 120_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
    bench.script('run.sh', 'eval "$1"\n');
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
  });
  after(() => bench.close());

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });

  test('steps of a run share it by TMPDIR, and it is gone with the run', async () => {
    bench.workflow('share', {
      steps: [
        shell('one', 'echo hello > "$TMPDIR/word"; f=$(mktemp); echo "{\\"file\\": \\"$f\\"}"'),
        shell('two', 'printf "{\\"word\\": \\"%s\\"}" "$(cat "$Q_WORKFLOW_SCRATCH/word")"'),
      ],
    });
    const { code, run } = await runToEnd(bench, 'share');
    assert.equal(code, 0, JSON.stringify(run.error));
    const folder = scratchFolder(run.id);
    assert.equal(outputsOf(run, 'two').word, 'hello');
    const made = outputsOf(run, 'one').file as string;
    assert.ok(made.startsWith(`${folder}/`), made);
    assert.equal(existsSync(folder), false);
  });

  test('an untrusted step has none of it', { skip: lacksBubblewrap() }, async () => {
    bench.skill('names', {
      type: 'code_inline',
      command: 'sh',
      args: ['-c', 'echo "$TMPDIR ${Q_WORKFLOW_SCRATCH-none}"; ls /var/tmp'],
    });
    const sandbox = { tier: 'untrusted', mode: 'required' };
    bench.workflow('alone', {
      steps: [{ id: 'it', type: 'skill', skill: 'names', outputs: ['text'], sandbox }],
    });
    const { code, run } = await runToEnd(bench, 'alone');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'it').text, '/tmp none');
  });

  test('a run whose scratch grows over max_disk_mb is ended with the numbers, and no other', async () => {
    bench.workflow('calm', {
      steps: [shell('it', 'echo $$ > calm.pid; until [ -e go ]; do sleep 0.1; done')],
    });
    const calm = await startRun(bench, 'calm');
    await pidIn(join(bench.workspace, 'calm.pid'));
    bench.workflow('writer', {
      steps: [shell('it', 'head -c 30000000 /dev/zero > "$TMPDIR/big"; sleep 60')],
      resource_limits: { max_disk_mb: 10 },
    });
    const { code, run } = await runToEnd(bench, 'writer');
    assert.equal(code, 8, JSON.stringify(run.error));
    assert.equal(run.error?.code, 'DISK_LIMIT');
    assert.equal(run.reason, 'disk: 10 MB limit, 29 MB seen');
    const [hit] = run.limits_hit;
    assert.deepEqual([hit?.step, hit?.limit, hit?.allowed], [null, 'disk', 10 * 1024 * 1024]);
    assert.equal(existsSync(scratchFolder(run.id)), false);
    bench.script('go', '');
    assert.equal((await endOf(bench, calm)).status, 'completed');
  });

  test('a run is ended too where no path names what fills its scratch', async () => {
    const dig = `process.chdir(process.env.TMPDIR);
      const fs = require('node:fs');
      for (let i = 0; i < 3000; i += 1) { fs.mkdirSync('d'); process.chdir('d'); }
      fs.writeFileSync('big', Buffer.alloc(30_000_000));
      setTimeout(() => {}, 60_000);`;
    const node = process.execPath;
    bench.skill('dig', { type: 'code_inline', command: node, args: ['-e', dig] });
    bench.workflow('digger', {
      steps: [{ id: 'it', type: 'skill', skill: 'dig' }],
      resource_limits: { max_disk_mb: 28 },
    });
    const { code, run } = await runToEnd(bench, 'digger');
    assert.equal(code, 8, JSON.stringify(run.error));
    assert.match(run.reason ?? '', /^disk: 28 MB limit, \d+ MB seen$/);
    assert.equal(existsSync(scratchFolder(run.id)), false);
  });
});

function lacksBubblewrap(): string | false {
  const { status } = spawnSync('bwrap', ['--ro-bind', '/', '/', 'true']);
  return status === 0 ? false : 'bubblewrap does not work here';
}
