import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { totalmem } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { identify } from '../../sandbox/process-identity.ts';
import type { InstanceSummary, StatusDocument, SupervisorStatus } from '../../src/protocol/control.ts';
import { type Bench, eventually, finish, openBench, ROOT } from '../setup/bench-home.ts';

const RUN_KEYS =
  'id workflow version definition status reason paused created_at started_at ended_at workspace inputs steps context isolation limits ' +
  'usage limits_hit incarnations pid notice error';
const STEP_KEYS = 'path id type status attempts started_at ended_at outputs error approvals';

describe('the documents and exit codes of the commands', { timeout: 120_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.skill('say', { type: 'prompt_inline', prompt_template: '{text}' });
    bench.skill('wait', { type: 'code_inline', command: 'sleep', args: ['{seconds}'] });
    bench.skill('flaky', { type: 'code_inline', command: 'test', args: ['-e', 'mended'] });
    bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say', inputs: { text: 'hi' } }] });
    bench.workflow('slow', { steps: [{ id: 'nap', type: 'skill', skill: 'wait', inputs: { seconds: 60 } }] });
    bench.workflow('flaky', { steps: [{ id: 'try', type: 'skill', skill: 'flaky' }] });
  });
  after(() => bench.close());

  /** Runs with --json: the exit status, and the one document on stdout. */
  async function document<T>(status: number, ...args: readonly string[]): Promise<T> {
    const answer = await bench.q(...args, '--json');
    assert.equal(answer.status, status, answer.stdout + answer.stderr);
    assert.equal(answer.stdout.trimEnd().split('\n').length, 1, answer.stdout);
    return JSON.parse(answer.stdout) as T;
  }
  const errorOf = async (status: number, ...args: readonly string[]): Promise<string> =>
    (await document<{ error: { code: string } }>(status, ...args)).error.code;

  function checkRun(run: StatusDocument): void {
    assert.deepEqual(Object.keys(run), RUN_KEYS.split(' '));
    for (const step of run.steps) assert.deepEqual(Object.keys(step), STEP_KEYS.split(' '));
    assert.match(run.id, /^[0-9a-z]{10}$/);
    assert.match(String(run.started_at), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  }

  test('nothing is running and nothing was run yet in a new home', async () => {
    assert.equal(await errorOf(5, 'supervisor', 'status'), 'SUPERVISOR_UNREACHABLE');
    assert.equal(await errorOf(5, 'supervisor', 'stop'), 'SUPERVISOR_UNREACHABLE');
    assert.deepEqual(await document(0, 'status'), []);
    assert.equal(await errorOf(4, 'status', 'latest'), 'INSTANCE_NOT_FOUND');
    assert.equal(await errorOf(4, 'logs', 'latest'), 'INSTANCE_NOT_FOUND');
    assert.equal(await errorOf(4, 'status', ''), 'INSTANCE_NOT_FOUND');
  });

  test('supervisor start is the same document twice, of one process', async () => {
    const first = await document<SupervisorStatus>(0, 'supervisor', 'start');
    const second = await document<SupervisorStatus>(0, 'supervisor', 'start');
    assert.equal(first.pid, second.pid);
    assert.equal(first.home, bench.home);
    assert.deepEqual(Object.keys(first), [
      'pid',
      'version',
      'home',
      'started_at',
      'uptime_seconds',
      'isolation',
      'missing',
      'instances',
      'instances_awaited',
      'capacity',
      'memory_bytes',
      'store_pending',
      'store_latency',
      'loop_delay',
      'disk',
      'approvals',
      'kill_switches',
      'notifications',
      'problems',
      'audit',
      'environment',
      'config_home',
      'service',
      'queue',
      'next_fires',
    ]);
  });

  test('run and status of a completed run are the same document, and exit 0', async () => {
    const run = await document<StatusDocument>(0, 'run', 'tiny');
    checkRun(run);
    assert.deepEqual([run.status, run.reason, run.error, run.pid], ['completed', 'completed', null, null]);
    assert.deepEqual(await document(0, 'status', run.id), run);
    assert.deepEqual(await document(0, 'status', 'latest'), run);
    assert.deepEqual(await document(0, 'status', run.id.slice(0, 7)), run);
    assert.deepEqual(await document(0, 'status', run.id, '--watch'), run);
    assert.equal(await errorOf(2, 'stop', run.id), 'ALREADY_ENDED');
    assert.equal(await errorOf(2, 'resume', run.id), 'NOT_RESUMABLE');
  });

  test('an id that several begin with is refused with their names', async () => {
    // One of 33 ids must share its first of 32 characters with another.
    const ids = new Set<string>();
    let shared: string | undefined;
    while (shared === undefined) {
      ids.add((await document<{ id: string }>(0, 'run', 'tiny', '--detach')).id);
      const first = [...ids].map((id) => id.slice(0, 1));
      shared = first.find((letter, index) => first.indexOf(letter) !== index);
    }
    const answer = await bench.q('status', shared);
    assert.equal(answer.status, 2);
    assert.match(
      answer.stderr,
      new RegExp(`several ids begin with "${shared}": ${shared}\\w{9}, ${shared}\\w{9}`),
    );
  });

  test('run and resume print the document of the run with --detach too, and what was said at its start', async () => {
    const keys = [...RUN_KEYS.split(' '), 'notices', 'problems'];
    const run = await document<StatusDocument & { problems: unknown[] }>(0, 'run', 'slow', '--detach');
    assert.deepEqual(Object.keys(run), keys);
    assert.deepEqual([run.workflow, run.ended_at, run.problems], ['slow', null, []]);
    await document(0, 'stop', run.id);
    const resumed = await document<StatusDocument>(0, 'resume', run.id, '--detach');
    assert.deepEqual(Object.keys(resumed), keys);
    assert.deepEqual([resumed.id, resumed.ended_at], [run.id, null]);
    await document(0, 'stop', run.id, '--force');
  });

  test('a failed run exits 1, and resume goes on where it failed', async () => {
    const failed = await document<StatusDocument>(1, 'run', 'flaky');
    checkRun(failed);
    assert.deepEqual(
      [failed.status, failed.error?.code, failed.error?.step],
      ['failed', 'EXIT_NONZERO', 'try'],
    );
    assert.equal(await errorOf(4, 'resume', failed.id, '--from', 'nosuch'), 'STEP_NOT_FOUND');
    bench.script('mended', '');
    const resumed = await document<StatusDocument>(0, 'resume', failed.id);
    checkRun(resumed);
    assert.deepEqual([resumed.id, resumed.status, resumed.incarnations], [failed.id, 'completed', 2]);
  });

  test('a run that another command stops exits 7, and so says stop', async () => {
    const following = bench.q('run', 'slow', '--json');
    const id = await eventually('the running step', async () => {
      const [first] = (await bench.json('status')) as InstanceSummary[];
      return first?.workflow === 'slow' && first.status === 'running' && first.id;
    });
    const live = await document<StatusDocument>(0, 'status', id);
    checkRun(live);
    assert.ok(live.pid !== null && live.pid > 1);
    assert.equal(await errorOf(2, 'resume', id), 'NOT_RESUMABLE');
    const [first, second] = await Promise.all([bench.q('stop', id, '--json'), bench.q('stop', id, '--json')]);
    const stopped = [first, second].find(({ status }) => status === 0);
    assert.ok(stopped !== undefined, `${first.stdout} ${second.stdout}`);
    assert.equal((JSON.parse(stopped.stdout) as StatusDocument).status, 'stopped');
    const { status, stdout } = await following;
    assert.equal(status, 7);
    checkRun(JSON.parse(stdout) as StatusDocument);
    const ends = bench.journal(id).filter(({ event }) => event.type === 'run.ended');
    assert.equal(ends.length, 1);
  });

  test('a run that waits in the queue can be stopped, and who follows its logs is let go', async () => {
    const half = { resource_limits: { max_memory_mb: halfOfTheMachine() } };
    const nap = { id: 'nap', type: 'skill', skill: 'wait', inputs: { seconds: 60 } };
    bench.workflow('half', { ...half, steps: [nap] });
    const running = await document<{ id: string }>(0, 'run', 'half', '--detach');
    const queued = await document<{ id: string }>(0, 'run', 'half', '--detach');
    const status = await document<SupervisorStatus>(0, 'supervisor', 'status');
    assert.equal(status.queue[0]?.id, queued.id);
    const follower = bench.start(['logs', queued.id, '--follow']);
    const followed = finish(follower);
    await document(0, 'stop', queued.id);
    assert.deepEqual(await followed, { status: 0, stdout: '', stderr: '' });
    await document(0, 'stop', running.id, '--force');
    assert.equal((await bench.status(running.id)).status, 'killed');
  });

  test('a run that is stopped in the queue, before it began, is resumed with its inputs and context', async () => {
    const half = { resource_limits: { max_memory_mb: halfOfTheMachine() } };
    const nap = { id: 'nap', type: 'skill', skill: 'wait', inputs: { seconds: 60 } };
    bench.workflow('half', { ...half, steps: [nap] });
    const text = { text: '${{ who }} ${{ n }}' };
    bench.workflow('half-told', {
      ...half,
      inputs: { who: { type: 'string', required: true } },
      context: { mutable: { n: 1 } },
      steps: [{ id: 'tell', type: 'skill', skill: 'say', inputs: text, set: { n: 'n + 1' } }],
    });
    const running = await document<{ id: string }>(0, 'run', 'half', '--detach');
    const values = ['--input', 'who=ann', '--context', 'n=41'];
    const { id } = await document<StatusDocument>(0, 'run', 'half-told', '--detach', ...values);
    // Stopped twice: what was opened again and did not begin either is still a run that has not begun.
    await document(0, 'stop', id);
    await document(0, 'resume', id, '--detach');
    const stopped = await document<StatusDocument>(0, 'stop', id);
    assert.deepEqual([stopped.status, stopped.started_at], ['stopped', null]);
    await document(0, 'stop', running.id, '--force');
    const run = await document<StatusDocument>(0, 'resume', id);
    assert.deepEqual([run.status, run.error, run.reason], ['completed', null, 'completed']);
    assert.deepEqual(run.steps[0]?.outputs, { text: 'ann 41', stdout: 'ann 41' });
    assert.deepEqual([run.inputs, run.context], [{ who: 'ann' }, { n: 42 }]);
    assert.ok((run.started_at ?? '') < (run.ended_at ?? ''));
    assert.equal((await document<{ verdict: string }>(0, 'audit', 'verify')).verdict, 'intact');
  });

  test('a resumed run that is stopped while it waits in the queue can be resumed once more', async () => {
    const half = { resource_limits: { max_memory_mb: halfOfTheMachine() } };
    const nap = { id: 'nap', type: 'skill', skill: 'wait', inputs: { seconds: 60 } };
    bench.workflow('half', { ...half, steps: [nap] });
    bench.skill('later', { type: 'code_inline', command: 'test', args: ['-e', 'later'] });
    bench.workflow('half-later', { ...half, steps: [{ id: 'try', type: 'skill', skill: 'later' }] });
    const failed = await document<StatusDocument>(1, 'run', 'half-later');
    const running = await document<{ id: string }>(0, 'run', 'half', '--detach');
    const queued = await document<StatusDocument>(0, 'resume', failed.id, '--detach');
    assert.equal(queued.status, 'queued');
    const stopped = await document<StatusDocument>(0, 'stop', failed.id);
    assert.deepEqual([stopped.status, stopped.error?.code], ['stopped', 'STOPPED']);
    await document(0, 'stop', running.id, '--force');
    bench.script('later', '');
    const resumed = await document<StatusDocument>(0, 'resume', failed.id);
    assert.deepEqual([resumed.status, resumed.incarnations], ['completed', 2]);
  });

  test('resume --from what cannot be run again from is refused and changes nothing', async () => {
    bench.workflow('from', {
      steps: [
        { id: 'broken', type: 'skill', skill: 'never' },
        { id: 'try', type: 'skill', skill: 'mended-from' },
      ],
      error_handling: { per_step: { broken: { strategy: 'custom', custom_handler: 'said' } } },
    });
    bench.skill('never', { type: 'code_inline', command: 'false' });
    bench.skill('said', { type: 'prompt_inline', prompt_template: 'said' });
    bench.skill('mended-from', { type: 'code_inline', command: 'test', args: ['-e', 'mended-from'] });
    const failed = await document<StatusDocument>(1, 'run', 'from');
    const { error } = await document<{ error: { code: string; message: string; hint: string } }>(
      4,
      'resume',
      failed.id,
      '--from',
      'broken!said',
    );
    assert.deepEqual(
      [error.code, error.message, error.hint],
      [
        'STEP_NOT_FOUND',
        'broken!said is no step of this run that can be run again from.',
        `Run q workflow status ${failed.id} to see its steps.`,
      ],
    );
    assert.equal((await bench.status(failed.id)).incarnations, 1);
    bench.script('mended-from', '');
    const resumed = await document<StatusDocument>(0, 'resume', failed.id);
    assert.deepEqual([resumed.status, resumed.incarnations], ['completed', 2]);
  });

  test('doctor and list are documents too', async () => {
    const health = await document<{ is_healthy: boolean; checks: { name: string }[] }>(0, 'doctor');
    assert.ok(health.checks.some(({ name }) => name === 'supervisor'));
    const names = (await document<{ name: string }[]>(0, 'list')).map(({ name }) => name);
    assert.ok(names.includes('tiny'));
  });

  test('output that goes to no terminal has no escapes, and a reader that leaves early is no error', async () => {
    for (const args of [['status', '--all'], ['status', 'latest'], ['doctor'], ['run', 'tiny'], ['list']]) {
      const { stdout, stderr } = await bench.q(...args);
      assert.doesNotMatch(stdout + stderr, /\u001b/, args.join(' '));
    }
    for (const line of ['status --all --json', 'run flaky', 'run tiny 2>&1']) {
      const shell = spawn(
        'bash',
        ['-c', `"$0" workflow ${line} | head -c 1; exit "\${PIPESTATUS[0]}"`, join(ROOT, 'bin', 'q')],
        {
          cwd: bench.workspace,
          env: bench.env,
        },
      );
      const { status, stderr } = await finish(shell);
      assert.equal(status, 0, line);
      assert.doesNotMatch(stderr, /EPIPE|Error|\n\s+at /, line);
    }
  });

  test('supervisor stop names the process that has left', async () => {
    const pid = await bench.supervisorPid();
    assert.deepEqual(await document(0, 'supervisor', 'stop'), { pid });
    // Where nobody reaps it, it stays behind as a zombie.
    assert.equal(identify(pid), null);
  });
});

/** More than half of what the supervisor gives away, so that two of it never fit. */
function halfOfTheMachine(): number {
  return Math.floor((totalmem() * 0.6) / 1024 / 1024);
}
