import assert from 'node:assert/strict';
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { reopenScope } from '../../../sandbox/reopen.ts';
import { fileName, writeLatch } from '../../../src/guard/kill/latch-files.ts';
import { readAbout } from '../../../src/protocol/about.ts';
import type { StatusDocument } from '../../../src/protocol/control.ts';
import type { KillDocument } from '../../../src/protocol/guard-documents.ts';
import { type Bench, eventually, openBench } from '../../setup/bench-home.ts';
import { hostOf, processesOf } from '../../setup/leftovers.ts';

describe('kill switches', { timeout: 240_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script(
      'deaf.sh',
      "setsid sleep 300 & (setsid sleep 300 &); trap '' TERM HUP; while :; do sleep 1; done\n",
    );
    bench.skill('deaf', { type: 'code_inline', command: 'sh', args: ['deaf.sh'] });
    for (const name of ['one', 'two'])
      bench.workflow(name, {
        steps: [
          { id: 'first', type: 'skill', skill: 'deaf' },
          { id: 'second', type: 'skill', skill: 'deaf' },
        ],
      });
  });
  after(() => bench.close());

  const start = async (name: string): Promise<string> => {
    const { stdout, stderr, status } = await bench.q('run', name, '--detach');
    assert.equal(status, 0, stderr);
    const id = stdout.trim();
    await eventually(`${name} runs`, async () =>
      (await show(id)).steps.some((step) => step.status === 'running'),
    );
    // Its intent is committed before its processes are there.
    await eventually(`the processes of ${name}`, () => processesOf(id).length >= 5);
    return id;
  };
  const show = async (id: string): Promise<StatusDocument> =>
    (await bench.json('status', id)) as StatusDocument;
  const kill = async (...args: string[]): Promise<KillDocument> => {
    const { stdout, stderr } = await bench.q('kill', ...args, '--json');
    assert.notEqual(stdout, '', stderr);
    return JSON.parse(stdout) as KillDocument;
  };
  const rearm = async (scope: string, ...more: string[]): Promise<void> => {
    const { status, stderr } = await bench.q('rearm', scope, '--reason', 'test', ...more);
    assert.equal(status, 0, stderr);
  };

  test('workflow: ends its runs and no others, refuses new ones until it is re-armed', async () => {
    const [mine, other] = [await start('one'), await start('two')];
    const done = await kill('workflow:one', '--reason', 'too wild');
    assert.deepEqual(
      done.instances.map(({ id, survivors }) => [id, survivors]),
      [[mine, []]],
    );
    assert.ok((done.instances[0]?.killed ?? 0) >= 4);
    const ended = await show(mine);
    assert.equal(ended.status, 'killed');
    assert.match(ended.reason ?? '', /^kill_switch: workflow:one, by person \S+: too wild$/);
    assert.equal((await show(other)).status, 'running');
    const refused = await bench.q('run', 'one', '--json');
    assert.equal(refused.status, 6, refused.stdout);
    assert.equal((JSON.parse(refused.stdout) as { error: { code: string } }).error.code, 'KILL_SWITCH');
    const resumed = await bench.q('resume', mine, '--json');
    assert.equal(resumed.status, 6, resumed.stdout);
    await rearm('workflow:one');
    assert.equal((await show(mine)).status, 'killed');
    await start('one');
    await kill('global');
    await rearm('global', '--confirm', 'rearm global');
  });

  test('global needs the typed phrase', async () => {
    assert.equal((await kill('global')).is_new, true);
    assert.equal((await kill('global')).is_new, false);
    const { status, stderr } = await bench.q('rearm', 'global', '--reason', 'x');
    assert.equal(status, 2);
    assert.match(stderr, /needs the typed phrase/);
    await rearm('global', '--confirm', 'rearm global');
  });

  test('step: ends the step, refuses it again, lets the others be', async () => {
    const id = await start('one');
    await kill(`step:${id}/first`);
    const failed = await eventually('the run ends', async () => {
      const now = await show(id);
      return now.ended_at !== null && now;
    });
    assert.equal(failed.status, 'failed');
    assert.equal(failed.error?.code, 'KILL_SWITCH');
    assert.equal(failed.error?.step, 'first');
  });

  test('step: the answer comes when its processes are gone, at once also where they are deaf', async () => {
    const id = await start('two');
    const whole = processesOf(id).length;
    const done = await kill(`step:${id}/first`);
    assert.deepEqual([done.escalated, done.instances, done.survivors], [[], [], 0]);
    // No more than the host and what it does to end itself is there; a step that is deaf has a grace of 2 s elsewhere.
    assert.ok(
      whole >= 5 && processesOf(id).length <= 1,
      `${whole} processes, ${processesOf(id).length} left`,
    );
    assert.ok(done.ms < 1500, `${done.ms} ms`);
  });

  test('step: an instance that hangs is ended as a whole, which the answer says', async () => {
    const id = await start('two');
    const other = await start('two');
    const host = hostOf(id);
    assert.ok(host !== undefined && processesOf(id).length >= 5);
    process.kill(host, 'SIGSTOP');
    // What names no agent has nothing to do with this one, hung or not.
    const unrelated = await kill('agent:nobody');
    assert.deepEqual([unrelated.escalated, unrelated.instances], [[], []]);
    await rearm('agent:nobody');
    assert.ok(processesOf(id).length >= 5);
    const done = await kill(`step:${id}/first`, '--reason', 'hangs');
    assert.deepEqual([done.carried_out_by, done.escalated, done.survivors], ['supervisor', [id], 0]);
    assert.deepEqual(
      done.instances.map((each) => each.id),
      [id],
    );
    assert.deepEqual(processesOf(id), []);
    assert.ok(done.ms >= 3000 && done.ms < 5000, `${done.ms} ms`);
    const ended = await show(id);
    assert.equal(ended.status, 'killed');
    assert.match(ended.reason ?? '', /^kill_switch: step:[0-9a-z]+\/first, by person \S+: hangs$/);
    assert.equal((await show(other)).status, 'running');
    await bench.q('stop', other, '--force');
  });

  test('step: a paused instance cannot end its part, and is ended as a whole at once', async () => {
    const id = await start('two');
    assert.equal((await bench.q('pause', id)).status, 0);
    assert.ok(processesOf(id).length >= 5);
    const done = await kill(`step:${id}/first`);
    assert.deepEqual([done.escalated, done.survivors], [[id], 0]);
    assert.ok(done.ms < 3000, `${done.ms} ms`);
    assert.deepEqual(processesOf(id), []);
    assert.equal((await show(id)).status, 'killed');
  });

  test('a file alone trips: what runs under it is ended', async (t) => {
    const id = await start('two');
    const scope = `instance:${id}`;
    const latch = { scope, mode: 'quarantine', reason: 'by hand', by: 'person x', at: 1 };
    // What is no scope keeps nobody from the others, wherever it stands among them.
    const odd = ['nonsense', 'tool:*', 'workflow:', 'x'];
    for (const each of odd)
      writeFileSync(join(bench.home, 'kill', fileName(each)), JSON.stringify({ ...latch, scope: each }));
    t.after(() => {
      for (const each of odd) rmSync(join(bench.home, 'kill', fileName(each)));
    });
    writeFileSync(join(bench.home, 'kill', fileName(scope)), JSON.stringify(latch));
    const ended = await eventually('the run ends', async () => {
      const now = await show(id);
      return now.ended_at !== null && now;
    });
    assert.equal(ended.reason, `kill_switch: ${scope}, by person x: by hand`);
    assert.deepEqual(processesOf(id), []);
  });

  test('a quarantine that was cut short: what is frozen does nothing more before it is ended', async () => {
    bench.script('tick.sh', 'while :; do echo tick >> ticks; done\n');
    bench.skill('tick', { type: 'code_inline', command: 'sh', args: ['tick.sh'] });
    bench.workflow('ticks', { steps: [{ id: 'it', type: 'skill', skill: 'tick' }] });
    const ticks = join(bench.workspace, 'ticks');
    const id = (await bench.q('run', 'ticks', '--detach')).stdout.trim();
    await eventually('it ticks', () => existsSync(ticks));
    process.kill(await bench.supervisorPid(), 'SIGKILL');
    const scope = `instance:${id}`;
    const about = readAbout(join(bench.home, 'instances', id));
    const processes = about === null ? null : reopenScope(about.scope);
    assert.ok(processes);
    // As it is left by a kill between the freeze and the end.
    await processes.freeze();
    processes.close();
    writeLatch(join(bench.home, 'kill'), { scope, mode: 'quarantine', reason: 'r', by: 'person x', at: 1 });
    const before = statSync(ticks).size;
    const ended = await eventually('the run ends', async () => {
      const now = await show(id);
      return now.ended_at !== null && now;
    });
    assert.equal(ended.reason, `kill_switch: ${scope}, by person x: r`);
    assert.equal(statSync(ticks).size, before);
    assert.deepEqual(processesOf(id), []);
  });

  test('a hung supervisor: the command ends the processes itself, and the latch holds afterwards', async () => {
    const id = await start('two');
    const { pid } = (await bench.json('supervisor', 'status')) as { pid: number };
    process.kill(pid, 'SIGSTOP');
    try {
      const done = await kill('workflow:two');
      assert.equal(done.carried_out_by, 'command');
      assert.deepEqual(
        done.instances.map((each) => each.id),
        [id],
      );
      assert.equal(done.survivors, 0);
      assert.deepEqual(processesOf(id), []);
    } finally {
      process.kill(pid, 'SIGCONT');
    }
    const ended = await eventually('the run is not resumed but ended', async () => {
      const now = await show(id);
      return now.ended_at !== null && now;
    });
    assert.equal(ended.status, 'killed');
    assert.match(ended.reason ?? '', /^kill_switch: workflow:two/);
  });

  test('a dead supervisor: the latch outlives it', async () => {
    await rearm('workflow:two');
    const id = await start('two');
    const { pid } = (await bench.json('supervisor', 'status')) as { pid: number };
    process.kill(pid, 'SIGKILL');
    const done = await kill('global');
    assert.equal(done.carried_out_by, 'command');
    assert.equal(done.survivors, 0);
    const refused = await bench.q('run', 'one', '--json');
    assert.equal(refused.status, 6, refused.stdout);
    assert.equal((await show(id)).status, 'killed');
    const verified = (await bench.json('kill', 'status', '--verify')) as { running: unknown[] };
    assert.deepEqual(verified.running, []);
  });
});
