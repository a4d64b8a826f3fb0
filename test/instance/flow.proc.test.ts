import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { foldersOf, holdLock, isLocked, outputsOf, runToEnd, textOf } from '../setup/leftovers.ts';

describe('the flow of steps with real processes', { timeout: 300_000 }, () => {
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
  const say = (id: string, text: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'say',
    inputs: { text },
    ...more,
  });
  const lines = (file: string): string[] => textOf(join(bench.workspace, file)).split('\n').filter(Boolean);
  const stubborn = (file: string): string =>
    `trap '' TERM; ${holdLock(file)} echo $$ > ${file}; setsid sh -c 'trap "" TERM; echo $$ > ${file}.child; while :; do sleep 1; done' & while :; do sleep 1; done`;
  const assertGone = (file: string): void => {
    for (const name of [file, `${file}.child`])
      assert.ok(Number(textOf(join(bench.workspace, name))) > 0, `${name} never ran`);
    assert.equal(isLocked(join(bench.workspace, file)), false, `${file} is alive`);
  };

  test('an async step runs beside the flow, and the first reference to it waits', async () => {
    bench.workflow('async', {
      steps: [
        shell('slow', 'sleep 0.6; echo async >> order.txt; echo "{\\"value\\": 5}"', { async: true }),
        shell('quick', 'echo flow >> order.txt'),
        say('tell', 'got ${{ slow.value }}'),
        shell('last', 'sleep 0.3; echo last >> order.txt', { async: true }),
      ],
    });
    const { code, run } = await runToEnd(bench, 'async');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.deepEqual(lines('order.txt'), ['flow', 'async', 'last']);
    assert.equal(outputsOf(run, 'tell').text, 'got 5');
  });

  test('the losers of a parallel any are dead before the run goes on', async () => {
    const winner = 'while [ ! -s loser.txt.child ]; do sleep 0.02; done; echo won';
    bench.script('check.sh', 'flock --nonblock loser.txt.lock true || echo alive; echo checked\n');
    bench.workflow('any', {
      steps: [
        {
          id: 'race',
          type: 'parallel',
          wait_for: 'any',
          steps: [shell('loser', stubborn('loser.txt')), shell('winner', winner)],
        },
        shell('check', 'sh check.sh', { outputs: ['said'] }),
      ],
    });
    const { code, run } = await runToEnd(bench, 'any');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(outputsOf(run, 'check').said, 'checked');
    assert.equal(run.steps.find(({ id }) => id === 'loser')?.status, 'cancelled');
    assertGone('loser.txt');
  });

  test('a loser that waits for its next attempt does not hold up the end', async () => {
    bench.workflow('lazy', {
      steps: [
        {
          id: 'race',
          type: 'parallel',
          wait_for: 'any',
          steps: [shell('loser', 'exit 1'), shell('winner', 'sleep 0.3')],
        },
      ],
      error_handling: { per_step: { loser: { strategy: 'retry', initial_delay: 25, jitter: 'none' } } },
    });
    const before = performance.now();
    const { code } = await runToEnd(bench, 'lazy');
    assert.equal(code, 0);
    assert.ok(performance.now() - before < 5000, `${performance.now() - before} ms`);
  });

  test('a failed branch cancels its siblings', async () => {
    bench.workflow('sibling', {
      steps: [
        {
          id: 'both',
          type: 'parallel',
          steps: [
            shell('hangs', stubborn('sibling.txt')),
            shell('fails', 'while [ ! -s sibling.txt.child ]; do sleep 0.02; done; exit 3'),
          ],
        },
      ],
    });
    const { code, run } = await runToEnd(bench, 'sibling');
    assert.equal(code, 1);
    assert.equal(run.error?.code, 'EXIT_NONZERO');
    assert.equal(run.error?.step, 'both/fails');
    assert.equal(run.steps.find(({ id }) => id === 'hangs')?.status, 'cancelled');
    assertGone('sibling.txt');
  });

  test('a rollback kills what is in flight before the first undo starts', async () => {
    const undo = (id: string): object =>
      shell(id, `flock --nonblock flying.txt.lock true || echo alive >> undo.txt; echo ${id} >> undo.txt`);
    bench.workflow('rollback', {
      steps: [
        shell('one', 'echo one', { undo: undo('undo-one') }),
        shell('two', 'echo two', { undo: undo('undo-two') }),
        shell('flying', stubborn('flying.txt'), { async: true }),
        shell('breaks', 'while [ ! -s flying.txt.child ]; do sleep 0.02; done; exit 5'),
      ],
      error_handling: {
        default: 'rollback',
        rollback: { steps: [shell('finally', 'echo finally >> undo.txt')] },
      },
    });
    const { code, run } = await runToEnd(bench, 'rollback');
    assert.equal(run.status, 'rolled_back', run.reason ?? '');
    assert.equal(code, 1);
    assert.deepEqual(lines('undo.txt'), ['undo-two', 'undo-one', 'finally']);
    assertGone('flying.txt');
  });

  test('a retry waits its backoff, and its key stays the same over attempts', async () => {
    bench.workflow('retry', {
      steps: [
        shell(
          'shaky',
          'echo "$Q_WORKFLOW_IDEMPOTENCY_KEY $Q_WORKFLOW_ATTEMPT $(date +%s%3N)" >> keys.txt; [ $Q_WORKFLOW_ATTEMPT -ge 3 ]',
        ),
      ],
      error_handling: {
        per_step: {
          shaky: { strategy: 'retry', max_attempts: 4, initial_delay: 0.3, factor: 2, jitter: 'none' },
        },
      },
    });
    const { code, run } = await runToEnd(bench, 'retry');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(run.steps[0]?.attempts, 3);
    const seen = lines('keys.txt').map((line) => line.split(' '));
    assert.deepEqual(
      seen.map(([key, attempt]) => [key, attempt]),
      [1, 2, 3].map((attempt) => [`${run.id}:shaky`, String(attempt)]),
    );
    const [first = 0, second = 0, third = 0] = seen.map(([, , at]) => Number(at));
    assert.ok(second - first >= 300, `second after ${second - first} ms`);
    assert.ok(third - second >= 600, `third after ${third - second} ms`);
    const delays = bench
      .journal(run.id)
      .flatMap(({ event }) => (event.type === 'step.retrying' ? [event.delayMs] : []));
    assert.deepEqual(delays, [300, 600]);
  });

  test('retry_on does not retry other errors', async () => {
    bench.workflow('picky', {
      steps: [shell('shaky', 'exit 7')],
      error_handling: {
        per_step: {
          shaky: { strategy: 'retry', max_attempts: 4, initial_delay: 0, retry_on: ['STEP_TIMEOUT'] },
        },
      },
    });
    const { code, run } = await runToEnd(bench, 'picky');
    assert.equal(code, 1);
    assert.equal(run.steps[0]?.attempts, 1);
  });

  test('a custom handler sees the error, and its result stands for the step', async () => {
    bench.workflow('custom', {
      steps: [shell('breaks', 'exit 9'), say('after', 'value ${{ breaks.stdout }}')],
      handlers: [
        {
          id: 'rescue',
          type: 'skill',
          skill: 'sh',
          inputs: {
            script: 'echo "$SKILL_PARAM_seen"',
            seen: '${{ error.code }} ${{ error.step }} ${{ error.attempts }}',
          },
        },
      ],
      error_handling: { per_step: { breaks: { strategy: 'custom', custom_handler: 'rescue' } } },
    });
    const { code, run } = await runToEnd(bench, 'custom');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(run.steps.find(({ id }) => id === 'breaks')?.status, 'handled');
    assert.equal(outputsOf(run, 'after').text, 'value EXIT_NONZERO breaks 1');
  });

  test('a session keeps its process over two steps and ends with the run', async () => {
    bench.script(
      'talk.sh',
      `trap '' TERM; ${holdLock('talk')} read -r id < /proc/sys/kernel/random/uuid
while read -r line; do echo "{\\"process\\": \\"$id\\"}"; done; sleep 1000\n`,
    );
    bench.skill('talk', { type: 'code_session', command: 'sh', args: ['talk.sh'] });
    bench.workflow('session', {
      steps: [
        { id: 'a', type: 'skill', skill: 'talk', inputs: { n: 1 } },
        { id: 'b', type: 'skill', skill: 'talk', inputs: { n: 2 } },
      ],
    });
    const { code, run } = await runToEnd(bench, 'session');
    assert.equal(code, 0, JSON.stringify(run.error));
    const [first, second] = run.steps.map(({ id }) => outputsOf(run, id).process);
    assert.equal(typeof first, 'string');
    assert.equal(first, second);
    assert.equal(isLocked(join(bench.workspace, 'talk')), false);
  });

  test('a secret reaches its step and is in no journal, log or status', async () => {
    const secret = 'hunter2-\\"quoted"-ünïcode';
    mkdirSync(join(bench.home, 'secrets'), { recursive: true, mode: 0o700 });
    writeFileSync(join(bench.home, 'secrets', 'API_KEY'), `${secret}\n`, { mode: 0o600 });
    bench.workflow('secret', {
      steps: [
        {
          id: 'uses',
          type: 'skill',
          skill: 'sh',
          inputs: {
            script: {
              literal:
                'printf %s "$SKILL_PARAM_key" > key.txt; printf "%s\\n" "$SKILL_PARAM_key"; cat; printf "%s\\n" "$SKILL_PARAM_key" >&2',
            },
            key: { secret: 'API_KEY' },
          },
        },
        {
          id: 'fails',
          type: 'skill',
          skill: 'sh',
          inputs: {
            script: { literal: 'echo "bad key $SKILL_PARAM_key" >&2; exit 1' },
            key: { secret: 'API_KEY' },
          },
        },
      ],
    });
    const { code, run, stderr } = await runToEnd(bench, 'secret');
    assert.equal(code, 1, JSON.stringify(run.error));
    assert.equal(textOf(join(bench.workspace, 'key.txt')), secret);
    const { stdout: logs } = await bench.q('logs', run.id);
    const database = ['', '-wal'].map((more) => textOf(join(bench.home, `q-workflow.db${more}`))).join('');
    const places = {
      status: JSON.stringify(run),
      journal: JSON.stringify(bench.journal(run.id)),
      stderr,
      logs,
      database,
    };
    for (const [place, text] of Object.entries(places)) {
      assert.ok(!text.includes('hunter2'), `the secret is in the ${place}`);
      if (place !== 'database' && place !== 'stderr')
        assert.ok(text.includes('***'), `nothing is masked in the ${place}`);
    }
  });

  test('a secret that is not stored fails its step with the name and no process', async () => {
    bench.workflow('no-secret', {
      steps: [
        { id: 'it', type: 'skill', skill: 'sh', inputs: { script: 'true', key: { secret: 'NOT_THERE' } } },
      ],
    });
    const { code, run } = await runToEnd(bench, 'no-secret');
    assert.equal(code, 1);
    assert.equal(run.error?.code, 'SECRET_MISSING');
    assert.match(
      run.error.message,
      /^the secret "NOT_THERE" cannot be had: there is no file \/.+\/secrets\/NOT_THERE$/,
    );
    assert.deepEqual(foldersOf(run.id), []);
  });
});
