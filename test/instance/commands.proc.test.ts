import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { holdLock, isLocked, outputsOf, type Ran, runToEnd, textOf } from '../setup/leftovers.ts';

const isSoak = process.env['Q_TEST_SOAK'] === '1';

describe('steps that misbehave', { timeout: 300_000 }, () => {
  let bench: Bench;

  before(() => {
    bench = openBench();
  });
  after(() => bench.close());

  /** Runs a workflow of one step `it` whose skill is this shell script. */
  function runScript(name: string, script: string, step: object = {}, more: object = {}): Promise<Ran> {
    bench.script(`${name}.sh`, script);
    bench.skill(name, { type: 'code_inline', command: 'sh', args: [`${name}.sh`] });
    bench.workflow(name, { steps: [{ id: 'it', type: 'skill', skill: name, ...step }], ...more });
    return runToEnd(bench, name);
  }

  async function runSkill(name: string, skill: object): Promise<Ran> {
    bench.skill(name, { type: 'code_inline', ...skill });
    bench.workflow(name, { steps: [{ id: 'it', type: 'skill', skill: name }] });
    return runToEnd(bench, name);
  }

  function assertFailed({ code, run, stderr }: Ran, error: string, message: RegExp): void {
    assert.equal(code, 1, stderr);
    assert.equal(run.status, 'failed');
    assert.equal(run.error?.code, error, JSON.stringify(run.error));
    assert.match(run.error.message, message);
    assert.equal(run.error.step, 'it');
    assert.equal(run.reason, `step_failed: ${error}, step it`);
    const types = bench
      .journal(run.id)
      .flatMap(({ event }) => (event.type === 'limit.hit' ? [] : [event.type]));
    assert.deepEqual(types, ['run.started', 'step.started', 'attempt.failed', 'step.failed', 'run.ended']);
  }

  test('a command that is not executable fails its step', async () => {
    writeFileSync(join(bench.workspace, 'data.bin'), 'echo hi\n', { mode: 0o644 });
    assertFailed(
      await runSkill('no-permission', { command: './data.bin' }),
      'SPAWN_FAILED',
      /data\.bin is not executable/,
    );
  });

  test('a command that does not exist fails its step', async () => {
    assertFailed(
      await runSkill('missing', { command: 'no-such-command-7' }),
      'SPAWN_FAILED',
      /command "no-such-command-7" was not found in PATH/,
    );
  });

  test('a command whose interpreter does not exist fails its step', async () => {
    bench.script('odd', '#!/no/such/interpreter\n');
    assertFailed(
      await runSkill('odd', { command: './odd' }),
      'SPAWN_FAILED',
      /was not found|is not executable/,
    );
  });

  test('a command that exits with a code tells it with the last line of stderr', async () => {
    const ran = await runScript('exits', 'echo first >&2; echo the cause >&2; exit 42');
    assertFailed(ran, 'EXIT_NONZERO', /exit code 42: the cause$/);
    assert.equal(ran.run.error?.details?.['exit_code'], 42);
    const hint = `Read its output: q workflow logs ${ran.run.id} --step it.`;
    assert.deepEqual([ran.run.error?.hint, ran.run.steps[0]?.error?.hint], [hint, hint]);
  });

  test('a command that is killed by a signal tells the signal', async () => {
    assertFailed(await runScript('signalled', 'kill -SEGV $$'), 'SIGNALLED', /ended by SIGSEGV/);
  });

  test('bytes that are no UTF-8 become U+FFFD and stay as they are in the log', async () => {
    const { code, run } = await runScript('bytes', "printf 'a\\377\\376b'");
    assert.equal(code, 0);
    assert.equal(outputsOf(run, 'it').stdout, 'a��b');
    const logs = await bench.q('logs', run.id);
    assert.equal(logs.status, 0, logs.stderr);
  });

  test('a flood of output costs no memory, and the result says how much there was', async () => {
    const bytes = (isSoak ? 1000 : 300) * 1024 * 1024;
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    const { code, run } = await runScript(
      'flood',
      `head -c ${bytes} /dev/zero`,
      {},
      {
        steps: [
          { id: 'it', type: 'skill', skill: 'flood' },
          {
            id: 'tell',
            type: 'skill',
            skill: 'say',
            inputs: { text: '${{ it.stdout_bytes }} ${{ it.stdout_truncated }}' },
          },
        ],
        resource_limits: { max_memory_mb: 256 },
      },
    );
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(run.steps[1]?.outputs, { text: `${bytes} true`, stdout: `${bytes} true` });
    assert.equal(textOf(join(bench.home, 'instances', run.id, 'host-1.log')), '', 'the process complained');
  });

  test('a command may close its stdout early and go on', async () => {
    const { code, run } = await runScript('closes', 'echo said; exec >&- 2>&-; sleep 0.2; exit 0');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'it').stdout, 'said');
  });

  test('a command may leave large inputs unread', async () => {
    bench.skill('deaf', { type: 'code_inline', command: 'sh', args: ['-c', 'exec <&-; echo done'] });
    const text = 'x'.repeat(3 * 1024 * 1024);
    bench.workflow('deaf', { steps: [{ id: 'it', type: 'skill', skill: 'deaf', inputs: { text } }] });
    const { code, run } = await runToEnd(bench, 'deaf');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'it').stdout, 'done');
  });

  test('daemons that left their session and ignore SIGTERM end with their step', async () => {
    bench.script('daemon.sh', "trap '' TERM HUP; echo $$ >> daemons.txt; while :; do sleep 1; done\n");
    const script = `${holdLock('daemons')} for n in 1 2 3; do setsid sh daemon.sh </dev/null >/dev/null 2>&1 & done
      while [ "$(wc -l < daemons.txt 2>/dev/null || echo 0)" -lt 3 ]; do sleep 0.02; done; echo started`;
    bench.skill('look', {
      type: 'code_inline',
      command: 'sh',
      args: ['-c', 'flock --nonblock daemons.lock true || echo alive; echo looked'],
    });
    const { code, run } = await runScript(
      'daemons',
      script,
      {},
      {
        steps: [
          { id: 'it', type: 'skill', skill: 'daemons' },
          { id: 'then', type: 'skill', skill: 'look' },
        ],
      },
    );
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.ok(Number(outputsOf(run, 'it').left_behind) >= 3);
    assert.equal(outputsOf(run, 'then').stdout, 'looked');
    const daemons = textOf(join(bench.workspace, 'daemons.txt')).trim().split('\n').map(Number);
    assert.equal(daemons.length, 3);
    assert.equal(isLocked(join(bench.workspace, 'daemons')), false);
  });

  test('a step that ignores SIGTERM is killed whole at its timeout', async () => {
    const script =
      "trap '' TERM; exec 9> stubborn.lock; flock 9; echo $$ > stubborn.txt; (trap '' TERM; setsid sleep 1000) & while :; do sleep 1; done";
    const ran = await runScript('stubborn', script, { timeout: 0.5 });
    assertFailed(ran, 'STEP_TIMEOUT', /longer than the timeout of the step \(0\.5 s\) and was killed/);
    assert.ok(Number(textOf(join(bench.workspace, 'stubborn.txt'))) > 0);
    assert.equal(isLocked(join(bench.workspace, 'stubborn')), false);
  });

  test('the steps of one run see only the allowed environment, and none of the token', async () => {
    // No pipeline for the second: the shell itself has one end of it open for a moment.
    bench.script('env.sh', 'env | cut -d= -f1 | sort | tr "\\n" " "; ls /proc/$$/fd >&2');
    bench.skill('env', { type: 'code_inline', command: 'sh', args: ['env.sh'] });
    bench.workflow('env', { steps: [{ id: 'it', type: 'skill', skill: 'env', inputs: { word: 'x' } }] });
    const started = await bench.qWith(
      { AWS_SECRET_ACCESS_KEY: 'leak', NODE_OPTIONS: '', LANG: 'C' },
      'run',
      'env',
      '--json',
    );
    const run = JSON.parse(started.stdout) as Ran['run'];
    const { stdout, stderr } = outputsOf(run, 'it');
    assert.ok(typeof stdout === 'string' && typeof stderr === 'string');
    const names = stdout.trim().split(' ');
    const allowed = [
      'PATH',
      'HOME',
      'USER',
      'LOGNAME',
      'LANG',
      'LC_ALL',
      'LC_CTYPE',
      'TZ',
      'TMPDIR',
      'SHELL',
      'PWD',
      'OLDPWD',
      'SHLVL',
      '_',
      'Q_WORKFLOW_SCOPE',
      'Q_WORKFLOW_IDEMPOTENCY_KEY',
      'Q_WORKFLOW_INSTANCE',
      'Q_WORKFLOW_STEP',
      'Q_WORKFLOW_ATTEMPT',
      'Q_WORKFLOW_SCRATCH',
      'SKILL_PARAM_word',
    ];
    assert.deepEqual(
      names.filter((name) => !allowed.includes(name)),
      [],
    );
    assert.ok(names.includes('LANG') && names.includes('Q_WORKFLOW_IDEMPOTENCY_KEY'));
    const descriptors = stderr.trim().split(/\s+/).map(Number);
    assert.deepEqual(
      descriptors.filter((fd) => fd > 2 && fd < 10),
      [],
      'descriptors are inherited',
    );
  });
});
