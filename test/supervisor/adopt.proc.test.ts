import assert from 'node:assert/strict';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { chooseIsolation } from '../../sandbox/choose.ts';
import { identify, isAlive, type ProcessIdentity } from '../../sandbox/process-identity.ts';
import type { InstanceSummary, StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';

describe('a supervisor that goes and another that comes', { timeout: 180_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    bench.script(
      'step.sh',
      'echo "$2-$1" >> effects.txt; until [ -e "go-$1" ]; do sleep 0.05; done; echo "$2-$1 done" >> effects.txt',
    );
    for (const id of ['one', 'two'])
      bench.skill(id, { type: 'code_inline', command: 'sh', args: ['step.sh', '{gate}', id] });
    const step = (id: string): object => ({
      id,
      type: 'skill',
      skill: id,
      inputs: { gate: '${{ inputs.gate }}' },
    });
    bench.workflow('two-steps', {
      inputs: { gate: { type: 'string', required: true } },
      steps: [step('one'), step('two')],
    });
  });
  beforeEach(() => rmSync(join(bench.workspace, 'effects.txt'), { force: true }));
  after(() => bench.close());

  const effects = (): string[] =>
    readFileSync(join(bench.workspace, 'effects.txt'), 'utf8').trim().split('\n');
  const open = (gate: string): unknown => bench.script(`go-${gate}`, '');

  /** Starts a run that waits in its first step. */
  async function startRun(gate: string): Promise<{ id: string; process: ProcessIdentity }> {
    const { id } = (await bench.json('run', 'two-steps', '--input', `gate=${gate}`, '--detach')) as {
      id: string;
    };
    await eventually(`the first step of ${gate}`, () => {
      try {
        return effects().includes(`one-${gate}`);
      } catch {
        return false;
      }
    });
    return { id, process: processOf((await bench.status(id)).pid) };
  }

  async function endOf(id: string): Promise<StatusDocument> {
    return eventually(`the end of ${id}`, async () => {
      const run = await bench.status(id);
      return run.ended_at !== null && run;
    });
  }

  async function killSupervisor(): Promise<void> {
    const supervisor = processOf(await bench.supervisorPid());
    process.kill(supervisor.pid, 'SIGKILL');
    await eventually('the death of the supervisor', () => !isAlive(supervisor));
  }

  test('stop leaves a run alone, and the next supervisor takes over the same process', async () => {
    const { id, process: instance } = await startRun('a');
    assert.equal((await bench.q('supervisor', 'stop')).status, 0);
    assert.ok(isAlive(instance));
    const status = await bench.status(id);
    assert.deepEqual([status.status, status.pid], ['running', instance.pid]);
    open('a');
    const run = await endOf(id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
    assert.deepEqual(effects(), ['one-a', 'one-a done', 'two-a', 'two-a done']);
    await eventually('its process to leave', () => !isAlive(instance));
  });

  test('SIGTERM leaves a run alone too, and SIGHUP does not end the supervisor', async () => {
    const { id, process: instance } = await startRun('b');
    const supervisor = processOf(await bench.supervisorPid());
    process.kill(supervisor.pid, 'SIGHUP');
    assert.equal(await bench.supervisorPid(), supervisor.pid);
    process.kill(supervisor.pid, 'SIGTERM');
    await eventually('the supervisor to leave', () => !isAlive(supervisor));
    assert.ok(isAlive(instance));
    open('b');
    // Without a supervisor it ends the step in flight, and starts no other.
    await eventually('the end of the step', () => effects().includes('one-b done'));
    assert.ok(isAlive(instance));
    assert.deepEqual(effects(), ['one-b', 'one-b done']);
    const run = await endOf(id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
    assert.deepEqual(effects(), ['one-b', 'one-b done', 'two-b', 'two-b done']);
  });

  test('stop --instances stop ends the runs first', async () => {
    const { id, process: instance } = await startRun('c');
    assert.equal((await bench.q('supervisor', 'stop', '--instances', 'stop')).status, 0);
    assert.equal(isAlive(instance), false);
    assert.equal((await bench.status(id)).status, 'stopped');
    assert.deepEqual(effects(), ['one-c']);
  });

  test('after a kill -9 of both, the run goes on from its journal in a new process', async () => {
    const { id, process: instance } = await startRun('d');
    await killSupervisor();
    process.kill(instance.pid, 'SIGKILL');
    await eventually('the death of the instance', () => !isAlive(instance));
    await bench.q('supervisor', 'start');
    await eventually('the second attempt', () => effects().length === 2);
    open('d');
    const run = await endOf(id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 2]);
    // The step was in flight: it begins again, and nothing of the first attempt goes on beside it.
    assert.deepEqual(effects(), ['one-d', 'one-d', 'one-d done', 'two-d', 'two-d done']);
  });

  test('ten live runs are adopted at once after a kill -9, none twice, and leftovers are swept', async (context) => {
    const gates = Array.from({ length: 10 }, (_, index) => `e${index}`);
    const runs = await Promise.all(gates.map(startRun));
    await killSupervisor();
    const begin = performance.now();
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    await eventually('ten connections', () => connectionsTo(join(bench.home, 'instance.sock')) === 10);
    context.diagnostic(
      `10 live instances connected ${Math.round(performance.now() - begin)} ms after the start command`,
    );
    const live = (await bench.json('status')) as InstanceSummary[];
    assert.deepEqual(live.map((run) => run.id).sort(), runs.map((run) => run.id).sort());
    gates.forEach(open);
    for (const { id, process: instance } of runs) {
      const run = await endOf(id);
      assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
      await eventually('its process to leave', () => !isAlive(instance));
    }
    const expected = gates.flatMap((gate) => [
      `one-${gate}`,
      `one-${gate} done`,
      `two-${gate}`,
      `two-${gate} done`,
    ]);
    assert.deepEqual(effects().sort(), expected.sort());
    assert.deepEqual(await leftScopes(), []);
  });

  test('a scope that an ended run left behind is swept with what is in it', async () => {
    await bench.q('supervisor', 'stop', '--instances', 'stop');
    assert.equal(
      (await bench.qWith({ Q_WORKFLOW_FAILPOINT: 'supervisor.after_exit_record:1' }, 'supervisor', 'start'))
        .status,
      0,
    );
    const dying = processOf(await bench.supervisorPid());
    const { id } = await startRun('f');
    open('f');
    await eventually('the death of the supervisor', () => !isAlive(dying));
    const scopes = chooseIsolation({ home: bench.home, requested: 'auto' })
      .listScopes()
      .map(({ name }) => name);
    if (scopes.length > 0) assert.deepEqual(scopes, [`${id}.1`]);
    assert.equal((await bench.status(id)).status, 'completed');
    assert.deepEqual(await leftScopes(), []);
  });

  async function leftScopes(): Promise<string[]> {
    const isolation = chooseIsolation({ home: bench.home, requested: 'auto' });
    const names = (): string[] => isolation.listScopes().map(({ name }) => name);
    await eventually('an empty place', () => names().length === 0, 5000).catch(() => undefined);
    return names();
  }
});

function processOf(pid: number | null): ProcessIdentity {
  const identity = pid === null ? null : identify(pid);
  assert.ok(identity !== null, `no process ${pid}`);
  return identity;
}

/** How many accepted connections a unix socket has (proc(5): state 03 is connected, the listener is 01). */
function connectionsTo(path: string): number {
  return readFileSync('/proc/net/unix', 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(` ${path}`) && line.split(/\s+/)[5] === '03').length;
}
