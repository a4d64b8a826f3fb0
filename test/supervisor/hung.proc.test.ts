import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { identify, isAlive } from '../../sandbox/process-identity.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, holdLock, isLocked, startRun, textOf } from '../setup/leftovers.ts';

const HEARTBEAT_MS = 5_000;

describe('an instance process that hangs', { timeout: 120_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    const started = join(bench.workspace, 'started');
    bench.script(
      'step.sh',
      `${holdLock(started)} echo "$1" >> effects.txt; until [ -e "go-$1" ]; do sleep 0.05; done\n`,
    );
    for (const id of ['one', 'two'])
      bench.skill(id, { type: 'code_inline', command: 'sh', args: ['step.sh', id] });
    bench.workflow('hangs', {
      steps: ['one', 'two'].map((id) => ({ id, type: 'skill', skill: id })),
    });
  });
  after(() => bench.close());

  test('is found within two heartbeats, ended with its tree, and resumed where it was', async (t) => {
    const effects = (): string[] => textOf(join(bench.workspace, 'effects.txt')).split('\n').filter(Boolean);
    const open = (id: string): void => writeFileSync(join(bench.workspace, `go-${id}`), '');
    open('one');
    const id = await startRun(bench, 'hangs');
    await eventually('the second step', () => effects().length === 2);
    const { pid } = await bench.status(id);
    const host = pid === null ? null : identify(pid);
    assert.ok(host !== null && isLocked(join(bench.workspace, 'started')));
    process.kill(host.pid, 'SIGSTOP');
    const begin = performance.now();
    await eventually('the end of the hung process', () => !isAlive(host), 3 * HEARTBEAT_MS);
    const foundMs = performance.now() - begin;
    // What the kill itself takes, on a busy machine, comes on top.
    assert.ok(foundMs <= 2 * HEARTBEAT_MS + 1_000, `found after ${foundMs} ms`);
    await eventually('the second step again', () => effects().length === 3);
    const resumedMs = performance.now() - begin;
    open('two');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 2]);
    assert.deepEqual(effects(), ['one', 'two', 'two']);
    const { stdout } = await bench.q('audit', 'list', '--instance', id, '--type', 'instance.hung', '--json');
    assert.match(stdout, /"silent_ms":\d{4}/);
    t.diagnostic(
      `found after ${Math.round(foundMs)} ms, its step runs again after ${Math.round(resumedMs)} ms`,
    );
  });
});
