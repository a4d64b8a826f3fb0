/** Instances outlive restart, crash and stop of the supervisor's unit. Run by `npm run test:vm`, as root and as a user. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { identify, isAlive, type ProcessIdentity } from '../../sandbox/process-identity.ts';
import { systemCode } from '../../src/errors/workflow-error.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, openBench } from '../setup/bench-home.ts';
import { connectTo } from '../setup/control.ts';
import { assertNothingLeft, foldersOf } from '../setup/leftovers.ts';
import {
  assertNoScopes,
  openService,
  patiently,
  SCOPES_FOLDER,
  type Service,
  scopesOf,
  startMany,
  UID,
  WHO,
} from './service.ts';

const COUNT = 20;
const WAVE = 4;

describe(`a unit of systemd with ${COUNT} live instances, as ${WHO}`, { timeout: 1_200_000 }, () => {
  let bench: Bench;
  let service: Service;
  const ids: string[] = [];
  let begun: StatusDocument[];
  let processes: ProcessIdentity[];
  let supervisor = 0;

  before(async () => {
    bench = openBench();
    // A pipe nobody writes to: the step waits without using the processor, until the gate is opened for all.
    execFileSync('mkfifo', [join(bench.workspace, 'gate')]);
    bench.skill('wait', { type: 'code_inline', command: 'cat', args: ['gate'] });
    bench.skill('say', { type: 'code_inline', command: 'echo', args: ['done'] });
    bench.workflow('long', {
      steps: [
        { id: 'first', type: 'skill', skill: 'wait' },
        { id: 'second', type: 'skill', skill: 'say' },
      ],
      resource_limits: { max_memory_mb: 96 },
    });
    service = await openService(bench);
    await service.control('start', service.name);
    supervisor = (await service.ready()).pid;
    // A few at a time: all at once, some would need longer than the 30 s that a start may take.
    while (ids.length < COUNT) {
      ids.push(...(await startMany(bench, 'long', WAVE)));
      await all((run) => run.steps[0]?.status === 'running');
    }
    begun = await all(() => true);
    processes = begun.map(({ pid }) => {
      const identity = identify(pid ?? 0);
      assert.ok(identity !== null, `no process ${pid}`);
      return identity;
    });
  });
  after(async () => {
    await service.remove();
    await bench.close();
  });

  /** Lets those go on that wait in front of it; a step that was only just started comes to it later. */
  function openGate(): void {
    try {
      closeSync(openSync(join(bench.workspace, 'gate'), constants.O_WRONLY | constants.O_NONBLOCK));
    } catch (error) {
      if (systemCode(error) !== 'ENXIO') throw error;
    }
  }

  /** The status of each instance, once all of them fulfil the condition. */
  async function all(isSo: (run: StatusDocument) => boolean): Promise<StatusDocument[]> {
    const client = await connectTo(bench);
    try {
      return await patiently('all instances are so far', async () => {
        const runs = await Promise.all(ids.map((id) => client.call('instance.status', { id })));
        return runs.every(isSo) && runs;
      });
    } finally {
      client.close();
    }
  }

  /** A new supervisor is there, and the instances are in it as the same processes. */
  async function assertAdopted(): Promise<void> {
    const status = await service.ready(supervisor);
    supervisor = status.pid;
    assert.equal(status.pid, await service.mainPid());
    assert.deepEqual(status.instances, { running: COUNT });
    assert.deepEqual([status.isolation.backend, status.missing], ['cgroup-v2', []]);
    assert.deepEqual(processes.map(isAlive), Array(COUNT).fill(true));
    const runs = await all(() => true);
    assert.deepEqual(
      runs.map(({ pid, incarnations }) => [pid, incarnations]),
      begun.map(({ pid, incarnations }) => [pid, incarnations]),
    );
  }

  test('instances are in a scope of their own, not below the unit, and limited there', () => {
    const [scope = '', ...more] = scopesOf(bench);
    assert.deepEqual(more, []);
    for (const [index, { pid }] of processes.entries()) {
      const path = readFileSync(`/proc/${pid}/cgroup`, 'utf8').trim();
      assert.match(
        path,
        new RegExp(`/${scope}/q-workflow/[0-9a-f]{8}/${ids[index]}\\.${begun[index]?.incarnations}/host$`),
      );
      const folder = `/sys/fs/cgroup${path.slice('0::'.length, -'/host'.length)}`;
      const read = (file: string): string => readFileSync(join(folder, file), 'utf8').trim();
      assert.deepEqual(['memory.max', 'memory.swap.max', 'pids.max', 'cpu.max'].map(read), [
        String(96 * 1024 * 1024),
        '0',
        '256',
        '100000 100000',
      ]);
      assert.equal(readFileSync(join(folder, 'memory.oom.group'), 'utf8').trim(), '0');
    }
    const own = readFileSync(`/proc/${supervisor}/cgroup`, 'utf8');
    assert.match(own, new RegExp(`/${service.name}\n$`), 'the supervisor stays in its unit');
  });

  test('systemctl restart: all go on with the same pids and are adopted', async () => {
    await service.control('restart', service.name);
    await assertAdopted();
    const [first = '', ...more] = scopesOf(bench);
    assert.equal(more.length, 1, 'the scope of the first start lives beside the new one');
    const leaf = readFileSync(join(SCOPES_FOLDER, first, 'q-workflow', 'leaf', 'cgroup.procs'), 'utf8');
    assert.match(leaf, /^\d+\n$/, 'the new supervisor holds the scope of the first start');
  });

  test('kill -9 of the main process: Restart=always brings the next, which adopts them', async () => {
    process.kill(await service.mainPid(), 'SIGKILL');
    await assertAdopted();
    // That of the second start had no instance: it went with its supervisor.
    await patiently('two scopes', () => scopesOf(bench).length === 2);
  });

  test('systemctl stop, then start: they lived on meanwhile', async () => {
    await service.control('stop', service.name);
    assert.equal(await service.mainPid(), 0);
    await patiently('one scope', () => scopesOf(bench).length === 1);
    assert.deepEqual(processes.map(isAlive), Array(COUNT).fill(true));
    await service.control('start', service.name);
    await assertAdopted();
  });

  test('a new instance goes into the new scope', async () => {
    const [id = ''] = await startMany(bench, 'long', 1);
    const folder = await patiently('its cgroup', () => foldersOf(id)[0]);
    assert.match(folder, new RegExp(`/${scopesOf(bench).at(-1)}/q-workflow/`));
    ids.push(id);
    await all((run) => run.steps[0]?.status === 'running');
  });

  test('opened, all complete as the processes that began, and nothing is left', async (context) => {
    const runs = await all((run) => {
      openGate();
      return run.ended_at !== null;
    });
    assert.deepEqual(
      runs.slice(0, COUNT).map((run) => [run.status, run.incarnations]),
      begun.map(({ incarnations }) => ['completed', incarnations]),
    );
    assert.equal(runs[COUNT]?.status, 'completed');
    await patiently('the last process is gone', () => !processes.some(isAlive));
    await patiently('its scope is let go', () => scopesOf(bench).length === 1);
    for (const id of ids) await patiently('no folder', () => foldersOf(id).length === 0);
    for (const id of ids) assertNothingLeft(id);
    context.diagnostic(`${COUNT} instances, uid ${UID}`);
    await service.control('stop', service.name);
    await assertNoScopes(bench);
  });
});
