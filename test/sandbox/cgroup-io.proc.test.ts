import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { isGone, readControl } from '../../sandbox/cgroupfs/control-file.ts';
import { ioLimitLine, wholeDisks } from '../../sandbox/cgroupfs/io-limit.ts';
import { chooseIsolation } from '../../sandbox/choose.ts';
import { ioLimitProblem } from '../../sandbox/describe.ts';
import type { IoBytes, Scope } from '../../sandbox/isolation.ts';
import { lacksDirectIo } from './direct-io.ts';
import { isolationFor, lacks, MIB, NONE, NOW, SLOWNESS, start, until } from './harness.ts';

const direct = lacksDirectIo();

for (const kind of ['cgroup', 'polling'] as const) {
  const skip = direct || (kind === 'cgroup' && lacks(kind));

  test(`io of a scope is what its tree read and wrote (${kind})`, { skip }, async (t) => {
    const scope = isolationFor(t, kind).openScope('io', NONE);
    const folder = folderFor(t);
    const inHost = start(scope, '/bin/sh', ['-c', 'sleep 300']);
    await until('the host runs', () => scope.pids().length > 0);
    // The first look of polling: before, it knows of nothing.
    await until('io is known', () => scope.io() !== null);
    const before = seen(scope);
    const step = scope.openChild('step', NONE);
    const run = start(step, '/bin/sh', [
      '-c',
      `dd if=/dev/zero of="$0/a" bs=1M count=8 oflag=direct 2>/dev/null && dd if="$0/a" of=/dev/null bs=1M iflag=direct 2>/dev/null && echo done; sleep 300`,
      folder,
    ]);
    await until('it has written and read', () => run.stdout() === 'done\n', 30_000);
    await until('the instance has the bytes of its step', () => seen(scope).writtenBytes >= 8 * MIB);
    const after = seen(scope);
    t.diagnostic(`read ${after.readBytes}, written ${after.writtenBytes}`);
    assert.ok(before.writtenBytes < MIB, `${before.writtenBytes} written before`);
    assert.ok(after.readBytes - before.readBytes >= 8 * MIB, `${after.readBytes} read`);
    // Programs and libraries may have been read from the disk too, but nothing counts twice.
    assert.ok(after.readBytes < 24 * MIB && after.writtenBytes < 12 * MIB, JSON.stringify(after));
    assert.ok(seen(step).writtenBytes >= 8 * MIB);
    await step.kill(NOW);
    await run.ended;
    assert.ok(seen(scope).writtenBytes >= 8 * MIB, 'what an ended step wrote is not forgotten');
    assert.notEqual(inHost.child.pid, undefined);
  });

  test(`io of a scope has the buffered writes of processes that ended (${kind})`, { skip }, async (t) => {
    const scope = isolationFor(t, kind).openScope('buffered', NONE);
    const folder = folderFor(t);
    const run = start(scope, '/bin/sh', [
      '-c',
      'dd if=/dev/zero of="$0/a" bs=1M count=8 conv=fsync 2>/dev/null && echo done; sleep 300',
      folder,
    ]);
    await until('it has written', () => run.stdout() === 'done\n', 30_000);
    await until('the bytes are there', () => (scope.io()?.writtenBytes ?? 0) >= 8 * MIB);
    assert.ok(seen(scope).writtenBytes < 12 * MIB, JSON.stringify(seen(scope)));
  });
}

const unheld = direct || lacks('cgroup') || lacksIoLimit();

test('an IO limit holds a direct write to its rate on every disk', { skip: unheld }, async (t) => {
  const isolation = isolationFor(t, 'cgroup');
  const rate = 2 * MIB;
  const free = isolation.openScope('free', NONE);
  const slow = isolation.openScope('slow', { ...NONE, ioBytesPerSecond: rate });
  const held = readControl(`${slow.record.folders.unified}/io.max`) ?? '';
  for (const disk of wholeDisks()) assert.ok(held.includes(`${ioLimitLine(disk, rate)} `), held);
  const folder = folderFor(t);
  const freeMs = await timeToWrite(free, folder);
  // Its steps are held together, not each.
  const slowMs = await timeToWrite(slow.openChild('step', NONE), folder);
  t.diagnostic(`8 MiB in ${freeMs.toFixed(0)} ms without a limit, in ${slowMs.toFixed(0)} ms at 2 MiB/s`);
  assert.ok(freeMs < 3000, `${freeMs} ms without a limit: this disk shows nothing`);
  // The kernel gives the bytes of the first tenth of a second at once.
  assert.ok(slowMs >= 3800, `${slowMs} ms`);
  assert.ok(seen(slow).writtenBytes >= 8 * MIB);
});

test('a scope whose process waits for a limited write is killed at once', { skip: unheld }, async (t) => {
  const limits = { ...NONE, ioBytesPerSecond: 128 * 1024 };
  const scope = isolationFor(t, 'cgroup').openScope('stuck', limits);
  const step = scope.openChild('step', NONE);
  const folder = folderFor(t);
  start(step, '/bin/dd', ['if=/dev/zero', `of=${folder}/a`, 'bs=8M', 'count=4', 'oflag=direct']);
  await until('it waits in the kernel', () => step.pids().some((pid) => stateOf(pid) === 'D'), 30_000);
  const report = await scope.kill({ graceMs: 0, timeoutMs: 10_000 });
  t.diagnostic(`${report.durationMs.toFixed(0)} ms`);
  assert.deepEqual(report.survivors, []);
  assert.ok(report.durationMs < 500 * SLOWNESS, `${report.durationMs} ms`);
});

async function timeToWrite(scope: Scope, folder: string): Promise<number> {
  const run = start(scope, '/bin/dd', [
    'if=/dev/zero',
    `of=${folder}/a`,
    'bs=256k',
    'count=32',
    'oflag=direct',
  ]);
  await until('it has joined', () => scope.pids().length > 0 || run.child.exitCode !== null);
  const startedAt = performance.now();
  assert.deepEqual(await run.ended, { code: 0, signal: null }, run.stderr());
  return performance.now() - startedAt;
}

function seen(scope: Scope): IoBytes {
  const bytes = scope.io();
  assert.ok(bytes !== null, `nobody can tell the io of ${scope.record.name}`);
  return bytes;
}

function folderFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'q-io-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function lacksIoLimit(): string | false {
  const isolation = chooseIsolation({ home: '/nowhere/q-sandbox-io', requested: 'auto' });
  isolation.close();
  return ioLimitProblem(isolation.report) ?? false;
}

function stateOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.charAt(stat.lastIndexOf(')') + 2);
  } catch (error) {
    if (!isGone(error)) throw error;
    return '';
  }
}
