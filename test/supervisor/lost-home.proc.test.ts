import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { homeKey } from '../../sandbox/choose.ts';
import { scratchFolder } from '../../src/supervisor/sandboxes/scratch.ts';
import { type Bench, eventually, type Finished, finish, openBench } from '../setup/bench-home.ts';
import { endOf, foldersOf, holdLock, isLocked, processesOf, startRun, textOf } from '../setup/leftovers.ts';

/** The supervisor is told within two of its looks, and some seconds of a busy machine. */
const FOUND_MS = 15_000;

describe('the state folder is taken away from a running supervisor', { timeout: 120_000 }, () => {
  let bench: Bench;
  let ended: Promise<Finished>;
  beforeEach(async () => {
    bench = openBench();
    const started = join(bench.workspace, 'started');
    bench.script(
      'step.sh',
      `${holdLock(started)} echo "$1" >> effects.txt; until [ -e "go-$1" ]; do sleep 0.05; done\n`,
    );
    for (const id of ['one', 'two'])
      bench.skill(id, { type: 'code_inline', command: 'sh', args: ['step.sh', id] });
    bench.workflow('pair', { steps: ['one', 'two'].map((id) => ({ id, type: 'skill', skill: id })) });
    ended = finish(bench.start(['supervisor', 'run']), 90_000);
    await eventually('an answer', async () => (await bench.q('supervisor', 'status')).status === 0);
  });
  afterEach(async () => {
    await bench.close();
    await ended;
  });

  const effects = (): string[] => textOf(join(bench.workspace, 'effects.txt')).split('\n').filter(Boolean);
  const open = (id: string): void => writeFileSync(join(bench.workspace, `go-${id}`), '');
  const isHeld = (): boolean => isLocked(join(bench.workspace, 'started'));

  /** A run in its second step. */
  async function startPair(): Promise<string> {
    open('one');
    const id = await startRun(bench, 'pair');
    await eventually('the second step', () => effects().length === 2 && isHeld());
    return id;
  }

  async function untilGone(): Promise<Finished> {
    return Promise.race([
      ended,
      eventually('the end of the supervisor', () => false, FOUND_MS).then(() => assert.fail()),
    ]);
  }

  function assertClean(id: string): void {
    assert.deepEqual(processesOf(id), []);
    assert.deepEqual(foldersOf(id), []);
    assert.deepEqual(foldersOf(homeKey(bench.home)), []);
    assert.equal(isHeld(), false);
  }

  test('removed: it ends, says so, and ends what it ran; the next one begins anew', async () => {
    const id = await startPair();
    assert.ok(existsSync(scratchFolder(id)));
    rmSync(bench.home, { recursive: true });
    const { status, stderr } = await untilGone();
    assert.equal(status, 5, stderr);
    assert.match(stderr, new RegExp(`${bench.home} was removed or replaced while we ran`));
    assertClean(id);
    assert.equal(existsSync(scratchFolder(id)), false);
    open('two');
    const again = await bench.q('run', 'pair');
    assert.equal(again.status, 0, again.stderr);
  });

  test('replaced by an empty one: the same, and the new one is not touched', async () => {
    const id = await startPair();
    renameSync(bench.home, `${bench.home}.old`);
    mkdirSync(bench.home, { mode: 0o700 });
    assert.equal((await untilGone()).status, 5);
    assertClean(id);
    assert.equal(existsSync(join(bench.home, 'q-workflow.db')), false);
  });

  test('moved away and put back: its runs are resumed where they were', async () => {
    const id = await startPair();
    renameSync(bench.home, `${bench.home}.old`);
    assert.equal((await untilGone()).status, 5);
    assertClean(id);
    renameSync(`${bench.home}.old`, bench.home);
    await bench.q('supervisor', 'status');
    assert.equal((await bench.q('supervisor', 'start')).status, 0);
    await eventually('the second step again', () => effects().length === 3);
    open('two');
    const run = await endOf(bench, id);
    assert.deepEqual([run.status, run.incarnations], ['completed', 2]);
    assert.deepEqual(effects(), ['one', 'two', 'two']);
    assert.equal((await bench.q('audit', 'verify')).status, 0);
  });

  test('without its database it ends too', async () => {
    const id = await startPair();
    for (const end of ['', '-wal', '-shm']) rmSync(join(bench.home, `q-workflow.db${end}`));
    const { status, stderr } = await untilGone();
    assert.equal(status, 5, stderr);
    assert.match(stderr, /q-workflow\.db was removed or replaced while we ran/);
    assertClean(id);
  });

  for (const [what, name] of [
    ['its lock', 'lock.db'],
    ['the log of its database', 'q-workflow.db-wal'],
  ] as const)
    test(`without ${what} it leaves in good order, and the next one takes the run over`, async () => {
      const id = await startPair();
      rmSync(join(bench.home, name));
      const { status, stderr } = await untilGone();
      assert.equal(status, 5, stderr);
      assert.match(stderr, new RegExp(`${name} was removed or replaced while we ran`));
      assert.ok(isHeld(), 'the step goes on');
      open('two');
      assert.equal((await bench.q('supervisor', 'start')).status, 0);
      const run = await endOf(bench, id);
      assert.deepEqual([run.status, run.incarnations], ['completed', 1]);
      assert.deepEqual(effects(), ['one', 'two']);
      const verified = await bench.q('audit', 'verify');
      assert.equal(verified.status, 0, verified.stdout);
    });

  test('its sockets are opened again, and a run goes on', async () => {
    const pid = await bench.supervisorPid();
    const id = await startPair();
    rmSync(join(bench.home, 'control.sock'));
    writeFileSync(join(bench.home, 'control.sock.new'), '');
    renameSync(join(bench.home, 'control.sock.new'), join(bench.home, 'control.sock'));
    rmSync(join(bench.home, 'instance.sock'));
    await eventually('an answer', async () => (await bench.q('supervisor', 'status')).status === 0, FOUND_MS);
    assert.equal(await bench.supervisorPid(), pid);
    open('two');
    assert.equal((await endOf(bench, id)).status, 'completed');
    const next = await bench.q('run', 'pair');
    assert.equal(next.status, 0, next.stderr);
  });
});
