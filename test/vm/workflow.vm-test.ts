/** Workflows end to end on cgroup v2. Run by `npm run test:vm`, as root and as a user. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { SupervisorStatus } from '../../src/protocol/control.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { runToEnd } from '../setup/leftovers.ts';
import { assertNoScopes, scopesOf, stdoutOf, WHO } from './service.ts';

describe(`workflows on cgroup v2, as ${WHO}`, { timeout: 1_200_000 }, () => {
  let bench: Bench;
  let scopes: string[];

  before(async () => {
    bench = openBench();
    bench.script('run.sh', 'eval "$1"\n');
    // `tail` keeps the whole of a line: memory grows with what it is fed, without a second Node in the way.
    bench.script('fill.sh', 'head -c 400000000 /dev/zero | tail\n');
    bench.script('bomb.sh', 'sh bomb.sh & sh bomb.sh & sleep 5; wait\n');
    bench.skill('sh', { type: 'code_inline', command: 'sh', args: ['run.sh', '{script}'] });
    bench.skill('json', { type: 'code_inline', command: 'echo', args: ['{"n": 3}'] });
    const status = (await bench.json('supervisor', 'start')) as SupervisorStatus;
    // systemd delegates no io to its users by itself.
    const enforced = ['memory', 'cpu', 'processes', ...(WHO === 'root' ? ['io'] : [])];
    assert.deepEqual(
      [status.isolation, status.missing],
      [{ backend: 'cgroup-v2', enforced, observed: ['time', 'disk'] }, []],
    );
    scopes = scopesOf(bench);
    assert.equal(scopes.length, 1);
  });
  after(async () => {
    await bench.close();
    await assertNoScopes(bench);
  });

  const shell = (id: string, script: string, more: object = {}): object => ({
    id,
    type: 'skill',
    skill: 'sh',
    inputs: { script: { literal: script } },
    ...more,
  });

  test('steps in parallel, a condition and a report run to the end', async () => {
    bench.workflow('small', {
      steps: [
        {
          id: 'gather',
          type: 'parallel',
          steps: [{ id: 'count', type: 'skill', skill: 'json' }, shell('cgroup', 'cat /proc/self/cgroup')],
        },
        { id: 'judge', type: 'conditional', condition: 'count.n > 2', then: [shell('many', 'echo many')] },
      ],
    });
    const { code, run } = await runToEnd(bench, 'small');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.equal(run.isolation?.backend, 'cgroup-v2');
    const cgroup = stdoutOf(run, 'cgroup');
    assert.match(cgroup, new RegExp(`^0::/.*/${scopes[0]}/q-workflow/[0-9a-f]{8}/${run.id}\\.1/[^/]+\n?$`));
  });

  test('a step that is killed for memory ends the run with exit 8 and its peak', async () => {
    bench.workflow('greedy', { steps: [shell('it', 'sh fill.sh')], resource_limits: { max_memory_mb: 128 } });
    const { code, run } = await runToEnd(bench, 'greedy');
    assert.equal(code, 8, JSON.stringify(run.error));
    assert.equal(run.error?.code, 'STEP_OOM');
    const [, peak] = /^oom: 128 MB limit, peak (\d+) MB, step it$/.exec(run.reason ?? '') ?? [];
    assert.ok(Number(peak) > 100 && Number(peak) <= 128, String(run.reason));
  });

  test('an instance whose own process is killed for memory ends with exit 8', async () => {
    // Of the two, the instance's own process is made the one to die. 200: a user's systemd lets nobody go lower.
    const turn =
      'host=$(cat "$(dirname "/sys/fs/cgroup$(sed s/0::// /proc/self/cgroup)")/host/cgroup.procs"); echo 1000 > /proc/$host/oom_score_adj; echo 200 > /proc/self/oom_score_adj';
    bench.workflow('host', {
      steps: [shell('it', `${turn}; sh fill.sh`)],
      resource_limits: { max_memory_mb: 128 },
    });
    const { code, run } = await runToEnd(bench, 'host');
    assert.equal(code, 8, JSON.stringify(run.error));
    assert.equal(run.error?.code, 'MEMORY_LIMIT');
  });

  test('max_cpu_percent holds two busy processes to half a core together', async () => {
    const burn =
      'end=$(($(date +%s) + 6)); while [ $(date +%s) -lt $end ]; do n=0; while [ $n -lt 9999 ]; do n=$((n+1)); done; done';
    bench.workflow('burn', {
      steps: [shell('it', `(${burn}) & ${burn}; wait`)],
      resource_limits: { max_cpu_percent: 50 },
    });
    const { code, run } = await runToEnd(bench, 'burn');
    assert.equal(code, 0, JSON.stringify(run.error));
    const wall = (Date.parse(run.ended_at ?? '') - Date.parse(run.started_at ?? '')) / 1000;
    const percent = ((run.usage?.cpu_seconds ?? 0) / wall) * 100;
    assert.ok(percent > 35 && percent < 60, `${percent} % of a core over ${wall} s`);
  });

  test('max_processes bounds a fork bomb', async () => {
    bench.workflow('bomb', {
      steps: [shell('it', 'sh bomb.sh & sleep 300', { timeout: 10 })],
      resource_limits: { max_processes: 60, max_cpu_percent: 100 },
    });
    const { code, run } = await runToEnd(bench, 'bomb');
    assert.equal(code, 1, JSON.stringify(run.error));
    const peak = run.usage?.processes_peak ?? 0;
    assert.ok(peak > 20 && peak <= 60, `${peak} processes`);
  });

  test('max_io_mb_per_s holds what a step writes, or the run says that it is not held', async (t) => {
    const definition = {
      steps: [shell('it', 'dd if=/dev/zero of=big bs=256k count=32 oflag=direct')],
      resource_limits: { max_io_mb_per_s: 1 },
    };
    bench.workflow('writer', definition);
    const { code, run } = await runToEnd(bench, 'writer');
    assert.equal(code, 0, JSON.stringify(run.error));
    assert.ok((run.usage?.io_written_bytes ?? 0) >= 8 * 1024 * 1024, JSON.stringify(run.usage));
    const [step] = run.steps;
    const seconds = (Date.parse(step?.ended_at ?? '') - Date.parse(step?.started_at ?? '')) / 1000;
    t.diagnostic(`8 MiB in ${seconds} s`);
    if (WHO === 'root') {
      assert.ok(seconds >= 7.8, `${seconds} s`);
      // That there is no bubblewrap in the machine is said too.
      assert.doesNotMatch(run.notice ?? '', /max_io_mb_per_s/);
      return;
    }
    const problem = 'cgroup v2 has no controller io here that holds limits';
    assert.ok(run.notice?.startsWith(`max_io_mb_per_s is not held: ${problem}.`), String(run.notice));
    bench.workflow('strict', {
      ...definition,
      resource_limits: { ...definition.resource_limits, enforcement: 'required' },
    });
    const { status, stdout } = await bench.q('run', 'strict', '--json');
    assert.equal(status, 6, stdout);
    assert.match(stdout, /max_io_mb_per_s would not be held here/);
  });

  test('none of this ended the scope, or the supervisor', async () => {
    const { code } = await runToEnd(bench, 'small');
    assert.equal(code, 0);
    assert.deepEqual(scopesOf(bench), scopes);
  });
});
