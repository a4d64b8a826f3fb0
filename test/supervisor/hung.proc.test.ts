import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { identify, isAlive } from '../../sandbox/process-identity.ts';
import { type Bench, eventually, openBench } from '../setup/bench-home.ts';
import { endOf, holdLock, isLocked, startRun, textOf } from '../setup/leftovers.ts';

const HEARTBEAT_MS = 5_000;

describe('an instance process that hangs', { timeout: 240_000 }, () => {
  let bench: Bench;
  before(() => {
    bench = openBench();
    const started = join(bench.workspace, 'started');
    bench.script(
      'step.sh',
      `${holdLock(started)} echo "$1" >> effects.txt; until [ -e "go-$1" ]; do sleep 0.05; done\n`,
    );
    for (const id of ['one', 'two', 'three'])
      bench.skill(id, { type: 'code_inline', command: 'sh', args: ['step.sh', id] });
    bench.workflow('hangs', {
      steps: ['one', 'two'].map((id) => ({ id, type: 'skill', skill: id })),
    });
  });
  after(() => bench.close());

  /** No workflow can do this: an endless loop in its main thread, by the inspector that SIGUSR1 opens. */
  async function loopFor(pid: number): Promise<void> {
    process.kill(pid, 'SIGUSR1');
    const address = await eventually('the inspector', async () => {
      const answer = await fetch('http://127.0.0.1:9229/json/list').catch(() => null);
      const [target] = answer === null ? [] : ((await answer.json()) as { webSocketDebuggerUrl: string }[]);
      return target?.webSocketDebuggerUrl;
    });
    const socket = new WebSocket(address);
    const said = new Promise<string>((resolve, reject) => {
      socket.onerror = () => reject(new Error('the inspector is gone'));
      socket.onmessage = ({ data }) => resolve(String(data));
    });
    await new Promise((resolve) => {
      socket.onopen = resolve;
    });
    const evaluate = (id: number, expression: string): void =>
      socket.send(JSON.stringify({ id, method: 'Runtime.evaluate', params: { expression } }));
    evaluate(1, 'process.pid');
    assert.equal(
      (JSON.parse(await said) as { result: { result: { value: number } } }).result.result.value,
      pid,
    );
    evaluate(2, 'for (;;);');
  }

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

  test('an endless loop in JavaScript is found too, and the run resumed', async (t) => {
    const effects = (): number =>
      textOf(join(bench.workspace, 'effects.txt')).split('\n').filter(Boolean).length;
    bench.workflow('loops', { steps: [{ id: 'three', type: 'skill', skill: 'three' }] });
    const before = effects();
    const id = await startRun(bench, 'loops');
    // Its process is up by then: SIGUSR1 would end one that has only begun.
    await eventually('the step', () => effects() === before + 1);
    const { pid } = await bench.status(id);
    const host = pid === null ? null : identify(pid);
    assert.ok(host !== null && isAlive(host));
    await loopFor(host.pid);
    const begin = performance.now();
    // One that turns gets its share of the processors: on a busy machine its silence is excused in part.
    await eventually('the end of the process', () => !isAlive(host), 30 * HEARTBEAT_MS);
    const foundMs = performance.now() - begin;
    await eventually('the step again', () => effects() === before + 2);
    writeFileSync(join(bench.workspace, 'go-three'), '');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 2]);
    const { stdout } = await bench.q('audit', 'list', '--instance', id, '--type', 'instance.hung', '--json');
    const [silent, ...more] = [...stdout.matchAll(/"silent_ms":(\d+)/g)].map(([, ms]) => Number(ms));
    assert.ok(silent !== undefined && silent <= 2 * HEARTBEAT_MS && more.length === 0, stdout);
    t.diagnostic(`found after ${Math.round(foundMs)} ms`);
  });
});
