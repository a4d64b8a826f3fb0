import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import {
  endOf,
  holdLock,
  hostOf,
  isLocked,
  isRunning,
  outputsOf,
  pidIn,
  startRun,
  textOf,
} from '../setup/leftovers.ts';

describe('a run whose instance process is killed', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
    bench.script('run.sh', 'eval "$1"\n');
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
  });
  after(() => bench.close());

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });
  const say = (id: string, text: string): object => ({ id, type: 'skill', skill: 'say', inputs: { text } });
  const file = (name: string): string => join(bench.workspace, name);
  const stepOf = (run: StatusDocument, id: string) => run.steps.find((step) => step.id === id);

  async function killHost(id: string): Promise<void> {
    const host = await eventually('the process of the instance', () => hostOf(id));
    process.kill(host, 'SIGKILL');
    await eventually('the process of the instance is gone', () => !isRunning(host));
  }

  /** Runs the workflow and kills its process when the file has a pid; answers the end of the run. */
  async function crashAt(workflow: string, mark: string): Promise<StatusDocument> {
    const id = await startRun(bench, workflow);
    await pidIn(file(mark));
    assert.ok(isLocked(file(mark)));
    await killHost(id);
    const run = await endOf(bench, id);
    assert.equal(isLocked(file(mark)), false, 'the step of the dead process is alive');
    assert.equal(run.incarnations, 2);
    return run;
  }

  /** Hangs in the first incarnation only. */
  const hangsOnce = (mark: string): string =>
    `if [ -s ${mark} ]; then echo again; else ${holdLock(mark)} echo $$ > ${mark}; while :; do sleep 1; done; fi`;

  test('on_resume rerun runs the attempt again with the same key', async () => {
    bench.workflow('rerun', {
      steps: [
        shell('before', 'echo once >> before.txt'),
        shell(
          'it',
          `echo "$Q_WORKFLOW_IDEMPOTENCY_KEY $Q_WORKFLOW_ATTEMPT" >> rerun-keys.txt; ${hangsOnce('rerun.txt')}`,
        ),
      ],
    });
    const run = await crashAt('rerun', 'rerun.txt');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'it').stdout, 'again');
    assert.equal(textOf(file('before.txt')), 'once\n');
    const keys = textOf(file('rerun-keys.txt')).trim().split('\n');
    assert.equal(keys.length, 2);
    assert.deepEqual(
      keys.map((line) => line.split(' ')[0]),
      [`${run.id}:it`, `${run.id}:it`],
    );
  });

  test('on_resume fail fails the attempt, which its strategy may catch', async () => {
    bench.workflow('fail', { steps: [shell('it', hangsOnce('fail.txt'), { on_resume: 'fail' })] });
    const run = await crashAt('fail', 'fail.txt');
    assert.equal(run.status, 'failed');
    assert.equal(run.error?.code, 'INTERRUPTED');
    assert.equal(run.reason, 'step_failed: INTERRUPTED, step it');
  });

  test('on_resume skip leaves its outputs null and goes on', async () => {
    bench.workflow('skip', {
      steps: [shell('it', hangsOnce('skip.txt'), { on_resume: 'skip' }), shell('then', 'echo on')],
    });
    const run = await crashAt('skip', 'skip.txt');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.deepEqual([stepOf(run, 'it')?.status, stepOf(run, 'it')?.outputs], ['skipped', null]);
    assert.equal(stepOf(run, 'then')?.status, 'completed');
  });

  test('a large result is in a file, the journal holds its hash, and a resumed run still reads it', async () => {
    bench.script(
      'large.mjs',
      "process.stdout.write(JSON.stringify({ name: 'the field', rows: Array.from({ length: 3000 }, (_, n) => ({ n, text: 'x'.repeat(90) })) }));\n",
    );
    bench.skill('large', { type: 'code_inline', command: process.execPath, args: ['large.mjs'] });
    bench.workflow('large', {
      steps: [
        { id: 'make', type: 'skill', skill: 'large', outputs: ['name', 'rows'] },
        say('near', '${{ make.name }}'),
        shell('hang', hangsOnce('large.txt')),
        say('far', '${{ make.rows[2999].n }} ${{ size(make.rows) }} ${{ make.name }}'),
        {
          id: 'whole',
          type: 'skill',
          skill: 'sh',
          inputs: { script: { literal: 'wc -c' }, rows: 'make.rows' },
        },
      ],
    });
    const run = await crashAt('large', 'large.txt');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'near').text, 'the field');
    assert.equal(outputsOf(run, 'far').text, '2999 3000 the field');
    assert.ok(Number(outputsOf(run, 'whole').stdout) > 300_000);
    const made = bench
      .journal(run.id)
      .find(({ event }) => event.type === 'step.completed' && event.path === 'make')?.event;
    assert.ok(made?.type === 'step.completed');
    const { $blob: hash, bytes } = made.result as { $blob: string; bytes: number };
    assert.match(hash, /^[0-9a-f]{64}$/);
    assert.equal(
      Buffer.byteLength(textOf(join(bench.home, 'instances', run.id, `blob-${hash}.json`))),
      bytes,
    );
  });

  test('a lost file of a large result ends the run with its name', async () => {
    rmSync(file('large.txt'));
    const id = await startRun(bench, 'large');
    await pidIn(file('large.txt'));
    const made = bench
      .journal(id)
      .find(({ event }) => event.type === 'step.completed' && event.path === 'make')?.event;
    assert.ok(made?.type === 'step.completed');
    const { $blob } = made.result as { $blob: string };
    rmSync(join(bench.home, 'instances', id, `blob-${$blob}.json`));
    await killHost(id);
    const run = await endOf(bench, id);
    assert.equal(run.status, 'failed');
    assert.match(run.error?.message ?? '', /the stored result of step make cannot be read: ENOENT/);
  });

  test('a new session process answers after a resume', async () => {
    bench.script(
      'talk.sh',
      `read -r id < /proc/sys/kernel/random/uuid; echo x > $id; ${holdLock('$id')}
while read -r line; do echo "{\\"process\\": \\"$id\\"}"; done\n`,
    );
    bench.skill('talk', { type: 'code_session', command: 'sh', args: ['talk.sh'] });
    const talk = (id: string): object => ({ id, type: 'skill', skill: 'talk', inputs: { n: 1 } });
    bench.workflow('talks', {
      steps: [talk('a'), talk('b'), shell('hang', hangsOnce('talks.txt')), talk('c'), talk('d')],
    });
    const run = await crashAt('talks', 'talks.txt');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => outputsOf(run, id).process as string);
    assert.equal(a, b);
    assert.equal(c, d);
    assert.notEqual(b, c);
    assert.notEqual(textOf(file(a ?? '')), '');
    assert.equal(isLocked(file(a ?? '')), false);
  });

  test('a process that dies at each start is given up as a crash loop', async (t) => {
    // A step in a sandbox could not do this to its instance.
    const unconfined = openBench({ bubblewrap: 'refused' });
    t.after(() => unconfined.close());
    unconfined.skill('sh', {
      type: 'code_inline',
      command: 'sh',
      args: ['-c', 'eval "$1"', 'sh', '{script}'],
    });
    unconfined.workflow('loop', { steps: [shell('it', 'kill -9 $PPID; sleep 5')] });
    const id = await startRun(unconfined, 'loop');
    const run = await endOf(unconfined, id);
    assert.equal(run.status, 'failed');
    assert.equal(run.error?.code, 'CRASH_LOOP', JSON.stringify(run.error));
    assert.equal(run.incarnations, 5);
    assert.match(run.reason ?? '', /^crash_loop: 5 starts without a completed step, last .*SIGKILL/);
  });
});
