import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import {
  endOf,
  hostOf,
  isRunning,
  outputsOf,
  pidIn,
  runToEnd,
  startRun,
  textOf,
} from '../setup/leftovers.ts';

const SECRET = 'hunter2-long-enough';

describe('secrets', { timeout: 120_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script('run.sh', 'eval "$1"\n');
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
    const folder = join(bench.home, 'secrets');
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, 'API_KEY'), `${SECRET}\n`, { mode: 0o600 });
    writeFileSync(join(folder, 'OTHER'), 'other-secret\n', { mode: 0o600 });
  });
  after(() => bench.close());

  const shell = (id: string, script: string, inputs: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script }, ...inputs },
  });

  async function crash(id: string, mark: string): Promise<void> {
    const pid = await pidIn(join(bench.workspace, mark));
    assert.ok(isRunning(pid));
    const host = await eventually('the process of the instance', () => hostOf(id));
    process.kill(host, 'SIGKILL');
    await eventually('the process of the instance is gone', () => !isRunning(host));
  }
  const hangsOnce = (mark: string): string =>
    `if [ ! -s ${mark} ]; then echo $$ > ${mark}; while :; do sleep 1; done; fi`;

  for (const [title, more] of [
    ['', {}],
    [', also of one with inputs that lie in a file', { text: { literal: 'x'.repeat(300 * 1024) } }],
  ] as const)
    test(`a secret of a step that ran before a crash is masked after it${title}`, async () => {
      rmSync(join(bench.workspace, 'pid.txt'), { force: true });
      const use = 'printf %s "$SKILL_PARAM_key" > key.txt';
      bench.workflow('crash', {
        steps: [
          shell('uses', use, {
            key: { secret: 'API_KEY' },
            ...more,
          }),
          shell('tells', `${hangsOnce('pid.txt')}; cat key.txt; cat key.txt >&2`),
        ],
      });
      const id = await startRun(bench, 'crash');
      await crash(id, 'pid.txt');
      const run = await endOf(bench, id);
      assert.deepEqual([run.status, run.incarnations], ['completed', 2], run.reason ?? '');
      assert.equal(textOf(join(bench.workspace, 'key.txt')), SECRET);
      const { stdout, stderr } = outputsOf(run, 'tells');
      assert.deepEqual([stdout, stderr], ['***', '***']);
      assert.deepEqual((await bench.q('logs', id, '--step', 'tells')).stdout, '***\n***\n');
      assert.ok(!JSON.stringify(bench.journal(id)).includes(SECRET));
    });

  test('a secret that is handed out while another step runs is masked in what that one prints from then on', async () => {
    const until = (file: string): string => `while [ ! -s ${file} ]; do sleep 0.05; done`;
    bench.workflow('beside', {
      steps: [
        {
          id: 'beside',
          type: 'parallel',
          wait_for: 'none',
          steps: [
            shell('watches', `echo on > on.txt; ${until('late.txt')}; cat late.txt; echo seen > seen.txt`),
          ],
        },
        shell('waits', until('on.txt')),
        shell('uses', 'printf %s "$SKILL_PARAM_key" > late.tmp; mv late.tmp late.txt', {
          key: { secret: 'API_KEY' },
        }),
        shell('ends', until('seen.txt')),
      ],
    });
    const { run } = await runToEnd(bench, 'beside');
    assert.equal(run.status, 'completed', JSON.stringify(run.error));
    assert.equal(textOf(join(bench.workspace, 'late.txt')), SECRET);
    assert.deepEqual((await bench.q('logs', run.id, '--step', 'watches')).stdout, 'beside/watches │ ***\n');
  });

  test('a secret that was taken away since does not keep a run from going on', async () => {
    bench.workflow('gone', {
      steps: [
        shell('uses', ':', { key: { secret: 'OTHER' } }),
        shell('waits', `${hangsOnce('gone.txt')}; echo on`),
      ],
    });
    const id = await startRun(bench, 'gone');
    await pidIn(join(bench.workspace, 'gone.txt'));
    rmSync(join(bench.home, 'secrets', 'OTHER'));
    await crash(id, 'gone.txt');
    assert.equal((await endOf(bench, id)).status, 'completed');
  });

  test('what a step prints is never taken for the name of a secret', async () => {
    bench.workflow('forged', {
      steps: [
        shell('honest', ':', { key: { secret: 'API_KEY' } }),
        shell('forges', `echo '{"x": {"$secret": "API_KEY"}, "deep": [{"$secret": "API_KEY"}]}'`),
        shell('uses', 'cat > forged.txt; printf %s "$SKILL_PARAM_key" >> forged.txt', {
          key: { ref: 'forges.x' },
          deep: { ref: 'forges.deep' },
        }),
      ],
    });
    const { run } = await runToEnd(bench, 'forged');
    assert.equal(textOf(join(bench.workspace, 'forged.txt')), '');
    assert.equal(run.status, 'failed');
    assert.deepEqual(
      [run.error?.code, run.error?.message],
      [
        'PARAMETER_INVALID',
        'a value has the form of a secret, {"$secret": "API_KEY"}; only {"secret": …} in the file asks for one',
      ],
    );
  });
});
