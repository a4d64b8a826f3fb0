import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { Breach } from '../../sandbox/isolation.ts';
import { Members } from '../../sandbox/polling/members.ts';
import { Sampler } from '../../sandbox/polling/sampler.ts';
import { identify } from '../../sandbox/process-identity.ts';
import { HOG, isolationFor, isTreeUp, MIB, NONE, NOW, start, TREE, TREE_SIZE, until } from './harness.ts';

const skip = process.platform === 'linux' ? false : 'this machine has no /proc';
const node = process.execPath;

test('polling says that it observes and enforces nothing', { skip }, (t) => {
  const { report } = isolationFor(t, 'polling');
  assert.equal(report.backend, 'polling');
  assert.deepEqual(report.enforced, []);
  assert.deepEqual(report.observed, ['memory', 'cpu', 'processes', 'time', 'disk']);
});

for (const place of ['instance', 'step'] as const) {
  test(`polling kill leaves none of ${TREE_SIZE} processes with escaped daemons (${place})`, {
    skip,
  }, async (t) => {
    const scope = isolationFor(t, 'polling').openScope('tree', NONE);
    const step = scope.openChild('step', NONE);
    start(step, '/bin/sh', ['-c', TREE]);
    await until('the tree is up', () => isTreeUp(step), 30_000);
    const pids = step.pids();
    const report = await (place === 'step' ? step : scope).kill({ graceMs: 30, timeoutMs: 5000 });
    assert.deepEqual(report.survivors, []);
    assert.equal(report.foundCount, TREE_SIZE);
    assert.equal(report.killedCount, TREE_SIZE);
    assert.deepEqual(
      pids.map(identify),
      pids.map(() => null),
    );
    t.diagnostic(`${report.durationMs.toFixed(1)} ms with a grace of 30`);
  });
}

test('polling kill of a step leaves its sibling alone', { skip }, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('pair', NONE);
  const [one, two] = [scope.openChild('one', NONE), scope.openChild('two', NONE)];
  start(one, '/bin/sleep', ['300']);
  const kept = start(two, '/bin/sleep', ['300']);
  assert.equal((await one.kill(NOW)).foundCount, 1);
  assert.notEqual(identify(kept.child.pid ?? 0), null);
  assert.deepEqual(scope.pids(), [kept.child.pid]);
});

test('polling reports a memory breach with what it saw', { skip }, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('hog', { ...NONE, memoryBytes: 100 * MIB });
  const breach = new Promise<Breach>((resolve) => scope.onBreach(resolve));
  // Stops growing at 200 MiB by itself: here nobody but the owner would stop it.
  start(scope, node, [
    '-e',
    `${HOG.replace('for (;;)', 'while (all.length < 50)')}; setInterval(() => all, 1e6)`,
  ]);
  keepAlive(t);
  const seen = await breach;
  assert.equal(seen.limit, 'memory');
  assert.equal(seen.allowed, 100 * MIB);
  assert.ok(seen.seen > 100 * MIB && seen.seen < 400 * MIB, `${seen.seen}`);
  assert.ok(scope.usage().memoryPeakBytes >= seen.seen);
});

test('polling has stopped the tree when it tells of a breach, before anybody kills it', {
  skip,
}, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('stopped', { ...NONE, memoryBytes: 100 * MIB });
  const breach = new Promise<Breach>((resolve) => scope.onBreach(resolve));
  start(scope, '/bin/sh', [
    '-c',
    `${node} -e '${HOG.replace('for (;;)', 'while (all.length < 100)')}; setInterval(() => all, 1e6)'; :`,
  ]);
  keepAlive(t);
  await breach;
  await until('shell and hog are stopped', () => scope.pids().map(stateOf).join('') === 'TT');
});

test('polling reports too many processes', { skip }, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('many', { ...NONE, processes: 5 });
  const breach = new Promise<Breach>((resolve) => scope.onBreach(resolve));
  start(scope, '/bin/sh', ['-c', 'for i in 1 2 3 4 5 6 7; do sleep 300 & done; wait']);
  keepAlive(t);
  const { limit, allowed, seen } = await breach;
  assert.deepEqual({ limit, allowed }, { limit: 'processes', allowed: 5 });
  assert.ok(seen > 5 && seen <= 8, `${seen}`);
});

test('polling does not hold a reopened tree for what it used before', { skip }, async (t) => {
  const isolation = isolationFor(t, 'polling');
  const scope = isolation.openScope('old', NONE);
  const busy = 'while (process.cpuUsage().user < 1e6); console.log("idle"); setInterval(() => {}, 1e6)';
  const run = start(scope, node, ['-e', busy]);
  await until('it rests', () => run.stdout() === 'idle\n', 30_000);
  const members = new Members(scope.record.marker);
  const used = async (from: 'birth' | 'late'): Promise<readonly [number, number]> => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const sampler = new Sampler(members, NONE, ({ usedMs }) => resolve(usedMs));
    keepAlive(t);
    sampler.start(from);
    const usedMs = await promise;
    sampler.stop();
    return [usedMs, sampler.usage.cpuSeconds];
  };
  assert.ok((await used('birth'))[0] >= 1_000);
  const [usedMs, cpuSeconds] = await used('late');
  assert.equal(usedMs, 0);
  // What the run has used in all is told as before.
  assert.ok(cpuSeconds >= 1, `${cpuSeconds} s`);
  // Of 10 % it would stand still for 10 s.
  const reopened = isolation.reopenScope(scope.record, { ...NONE, cpuPercent: 10 });
  t.after(() => reopened?.close());
  await until('a look', () => (reopened?.usage('quick').cpuSeconds ?? 0) > 0);
  assert.equal(reopened?.usage().cpuThrottledSeconds, 0);
  assert.notEqual(stateOf(run.child.pid ?? 0), 'T');
});

test('polling holds CPU near 30 % by stopping and continuing the tree', { skip }, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('cpu', { ...NONE, cpuPercent: 30 });
  // Six, so that also a busy machine gives them more than they may have.
  const run = start(scope, '/bin/sh', [
    '-c',
    'for n in 1 2 3 4 5; do while :; do :; done & done; while :; do :; done',
  ]);
  await until('it is held for the first time', () => stateOf(run.child.pid ?? 0) === 'T');
  const before = { at: performance.now(), used: scope.usage().cpuSeconds };
  await until('3 s of clock', () => performance.now() - before.at > 3000);
  const share = (100 * (scope.usage().cpuSeconds - before.used)) / ((performance.now() - before.at) / 1000);
  t.diagnostic(`share ${share.toFixed(1)} %`);
  assert.ok(share < 50, `share ${share}`);
  assert.ok(scope.usage().cpuThrottledSeconds > 0, 'they were never held back');
  scope.close();
  await until('it goes on after close', () => stateOf(run.child.pid ?? 0) === 'R');
});

test('polling freezes, thaws, and kills a frozen tree', { skip }, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('ice', NONE);
  const run = start(scope, '/bin/sh', ['-c', 'sleep 300 & while :; do :; done']);
  await until('both run', () => scope.pids().length === 2);
  await scope.freeze();
  await until('it stands still', () => scope.pids().every((pid) => stateOf(pid) === 'T'));
  await scope.thaw();
  await until('it runs', () => stateOf(run.child.pid ?? 0) === 'R');
  await scope.freeze();
  assert.deepEqual((await scope.kill(NOW)).survivors, []);
  assert.deepEqual(await run.ended, { code: null, signal: 'SIGKILL' });
});

test('polling finds a scope again by its marker, in the list and by its record', { skip }, async (t) => {
  const isolation = isolationFor(t, 'polling');
  const scope = isolation.openScope('left', NONE);
  const run = start(scope, '/bin/sleep', ['300']);
  await until('it carries the marker', () => isolation.listScopes().length === 1);
  assert.deepEqual(isolation.listScopes(), [scope.record]);
  const again = isolation.reopenScope(scope.record);
  assert.deepEqual(again?.pids(), [run.child.pid]);
  await assert.rejects(scope.remove(), { code: 'SCOPE_FAILED' });
  await again?.kill(NOW);
  await again?.whenEmpty(AbortSignal.timeout(1000));
  assert.equal(isolation.reopenScope(scope.record), null);
});

test('polling whenEmpty rejects with the reason of its signal', { skip }, async (t) => {
  const scope = isolationFor(t, 'polling').openScope('abort', NONE);
  start(scope, '/bin/sleep', ['300']);
  const abort = new AbortController();
  const waiting = scope.whenEmpty(abort.signal);
  abort.abort(new Error('enough'));
  await assert.rejects(waiting, { message: 'enough' });
});

/** The watch of a scope does not keep a process alive; a test has to. */
function keepAlive(t: TestContext): void {
  const timer = setInterval(() => undefined, 1000);
  t.after(() => clearInterval(timer));
}

function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.charAt(stat.lastIndexOf(')') + 2);
}
