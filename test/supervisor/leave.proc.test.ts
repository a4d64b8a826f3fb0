import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, test } from 'node:test';
import type { Client } from '../../src/client/client.ts';
import type { ControlMethods, InstanceSummary, StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, finish, openBench } from '../setup/bench-home.ts';
import { callerOf, connectTo } from '../setup/control.ts';
import { pidIn, startRun } from '../setup/leftovers.ts';
import { lacksMountNamespaces, mountSmallDisk } from '../setup/small-disk.ts';

/** Two of these do not fit into the machine together. */
const HALF = { max_memory_mb: Math.floor((totalmem() * 0.6) / 1024 / 1024) };

function install(bench: Bench): void {
  bench.script('stubborn.sh', `trap '' TERM; echo $$ > pid.txt; while :; do sleep 1; done`);
  bench.skill('stubborn', { type: 'code_inline', command: 'sh', args: ['stubborn.sh'] });
  bench.skill('say', { type: 'prompt_inline', prompt_template: 'hi' });
  bench.skill('fail', { type: 'code_inline', command: 'false' });
  bench.workflow('stubborn', {
    resource_limits: HALF,
    steps: [{ id: 'a', type: 'skill', skill: 'stubborn' }],
  });
  bench.workflow('large', { resource_limits: HALF, steps: [{ id: 'a', type: 'skill', skill: 'say' }] });
  bench.workflow('tiny', { steps: [{ id: 'a', type: 'skill', skill: 'say' }] });
  bench.workflow('broken', { steps: [{ id: 'a', type: 'skill', skill: 'fail' }] });
}

describe('a supervisor that is leaving', { timeout: 120_000 }, () => {
  let bench: Bench;
  let client: Client;
  beforeEach(async () => {
    bench = openBench();
    install(bench);
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    client = await connectTo(bench);
  });
  afterEach(async () => {
    client.close();
    await bench.close();
  });

  const run = (name: string): Promise<ControlMethods['workflow.run'][1]> =>
    client.call('workflow.run', {
      target: name,
      caller: callerOf(bench),
      inputs: {},
      context: {},
      env: { PATH: process.env['PATH'] ?? '' },
    });
  const refused = {
    code: 'SHUTTING_DOWN',
    message: 'the supervisor is stopping and takes no new runs',
  };

  test('takes no run and no resume from the moment it stops its instances, and stops the queued ones too', async () => {
    const failed = (await bench.json('run', 'broken')) as StatusDocument;
    const running = await startRun(bench, 'stubborn');
    await pidIn(join(bench.workspace, 'pid.txt'));
    const queued = await startRun(bench, 'large');
    assert.equal((await bench.status(queued)).status, 'queued');
    const stopping = client.call('supervisor.stop', { instances: 'stop' });
    await assert.rejects(run('tiny'), refused);
    await assert.rejects(
      client.call('instance.resume', { id: failed.id, from: null, pins: 'check', caller: callerOf(bench) }),
      refused,
    );
    assert.equal((await bench.status(running)).status, 'stopping');
    await stopping;
    await client.closed;
    const all = (await bench.json('status', '--all')) as InstanceSummary[];
    assert.deepEqual(
      all.map(({ id, status }) => [id, status]),
      [
        [queued, 'stopped'],
        [running, 'stopped'],
        [failed.id, 'failed'],
      ],
    );
    assert.deepEqual(lastStop(bench), { instances: 'stop' });
  });

  test('starts nothing from its queue, and leaves it to the next one', async () => {
    const running = await startRun(bench, 'stubborn');
    await pidIn(join(bench.workspace, 'pid.txt'));
    const queued = await startRun(bench, 'large');
    assert.equal((await bench.status(queued)).status, 'queued');
    const [stopped, late] = await Promise.allSettled([
      client.call('supervisor.stop', { instances: 'leave' }),
      run('tiny'),
    ]);
    assert.equal(stopped.status, 'fulfilled');
    assert.ok(late.status === 'rejected');
    assert.deepEqual({ code: late.reason.code as string, message: late.reason.message as string }, refused);
    await client.closed;
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    assert.deepEqual(lastStop(bench), { instances: 'leave' });
    const { status, incarnations } = await bench.status(queued);
    assert.deepEqual([status, incarnations], ['queued', 0]);
    assert.equal((await bench.q('stop', running, '--force')).status, 0);
    const end = await eventually('the end of the queued run', async () => {
      const now = await bench.status(queued);
      return now.ended_at !== null && now;
    });
    assert.equal(end.status, 'completed');
  });

  test('stops a run that is asked for in the same moment, or refuses it', async () => {
    const asked = Array.from({ length: 20 }, () => run('stubborn'));
    const stopping = client.call('supervisor.stop', { instances: 'stop' });
    const answers = await Promise.allSettled(asked);
    await stopping;
    await client.closed;
    const all = (await bench.json('status', '--all')) as InstanceSummary[];
    assert.equal(all.length, answers.filter((answer) => answer.status === 'fulfilled').length);
    for (const answer of answers)
      if (answer.status === 'rejected') assert.equal(answer.reason.code, 'SHUTTING_DOWN');
      else assert.equal(all.find(({ id }) => id === answer.value.id)?.status, 'stopped');
  });
});

test('runs that are asked for while it leaves are begun by the next one', { timeout: 60_000 }, async () => {
  const bench = openBench();
  try {
    bench.script('gate.sh', 'until [ -e open ]; do sleep 0.05; done');
    bench.skill('gate', { type: 'code_inline', command: 'sh', args: ['gate.sh'] });
    bench.skill('fail', { type: 'code_inline', command: 'test', args: ['-e', 'open'] });
    bench.workflow('gate', { steps: [{ id: 'a', type: 'skill', skill: 'gate' }] });
    bench.workflow('fails', { steps: [{ id: 'a', type: 'skill', skill: 'fail' }] });
    await bench.qWith({ Q_WORKFLOW_ON_STOP: 'drain' }, 'supervisor', 'start');
    const failed = (await bench.json('run', 'fails')) as StatusDocument;
    const running = await startRun(bench, 'gate');
    const pid = await bench.supervisorPid();
    process.kill(pid, 'SIGTERM');
    const log = join(bench.home, 'log', 'supervisor.log');
    await eventually('it leaves', () => readFileSync(log, 'utf8').includes('waiting for instances to end'));
    let told = '';
    const asked = [
      ['run', 'gate'],
      ['run', 'gate', '--detach', '--json'],
      ['resume', failed.id],
    ].map((words) => {
      const child = bench.start(words);
      child.stderr?.on('data', (text) => {
        told += String(text);
      });
      return finish(child);
    });
    await eventually(
      'they are refused',
      () => told.match(/the supervisor is stopping/g)?.length === asked.length,
    );
    writeFileSync(join(bench.workspace, 'open'), '');
    const [followed, detached, resumed] = await Promise.all(asked);
    assert.deepEqual([followed?.status, detached?.status, resumed?.status], [0, 0, 0]);
    const { id } = JSON.parse(detached?.stdout ?? '') as StatusDocument;
    assert.notEqual(await bench.supervisorPid(), pid);
    for (const each of [id, running, failed.id])
      await eventually('its end', async () => (await bench.status(each)).status === 'completed');
  } finally {
    await bench.close();
  }
});

function lastStop(bench: Bench): unknown {
  const database = new DatabaseSync(join(bench.home, 'q-workflow.db'), { readOnly: true });
  try {
    const row = database
      .prepare("SELECT body FROM audit WHERE type = 'supervisor.stopped' ORDER BY seq DESC LIMIT 1")
      .get();
    return (JSON.parse(String(row?.['body'])) as { data: unknown }).data;
  } finally {
    database.close();
  }
}

test('stopping a queued run on a full disk is tried again until there is room', {
  timeout: 60_000,
  skip: lacksMountNamespaces(),
}, async () => {
  const mount = mkdtempSync(join(tmpdir(), 'qw-disk-'));
  const disk = await mountSmallDisk(mount, 3);
  const bench = openBench({ prefix: (cwd) => disk.prefix(cwd), home: join(mount, 'home') });
  try {
    install(bench);
    const running = await startRun(bench, 'stubborn');
    await pidIn(join(bench.workspace, 'pid.txt'));
    const queued = await startRun(bench, 'large');
    disk.fill();
    const stopping = bench.q('supervisor', 'stop', '--instances', 'stop');
    // It is killed when its grace is over, on a full disk too.
    await eventually('the failed record', async () =>
      disk.shell(`cat ${bench.home}/log/supervisor.log`).includes('an instance could not be stopped'),
    );
    disk.free();
    const { status, stderr } = await stopping;
    assert.deepEqual([status, stderr], [0, '']);
    for (const id of [running, queued]) assert.equal((await bench.status(id)).status, 'stopped');
  } finally {
    disk.free();
    await bench.close();
    disk.close();
    rmSync(mount, { recursive: true, force: true });
  }
});
