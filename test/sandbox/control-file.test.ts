import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { KeptFile, keyedNumber, readControl, writeControl } from '../../sandbox/cgroupfs/control-file.ts';
import { parsePids } from '../../sandbox/cgroupfs/folders.ts';
import { v2LimitFiles } from '../../sandbox/cgroupfs/v2.ts';
import { openV2Meter } from '../../sandbox/cgroupfs/v2-meter.ts';
import { cpuQuotaUs } from '../../sandbox/cgroupfs/version.ts';

test('a key is found at any line, and only as a whole', () => {
  const text = 'low 1\noom_kill 3\noom_kill_disable 7\nunder_oom 0\n';
  assert.equal(keyedNumber(text, 'low'), 1);
  assert.equal(keyedNumber(text, 'oom_kill'), 3);
  assert.equal(keyedNumber(text, 'oom'), 0);
  assert.equal(keyedNumber('', 'low'), 0);
});

test('pids outside our namespace and blank lines are no pids', () => {
  assert.deepEqual(parsePids('0\n12\n\n345\n1\n'), [12, 345]);
});

test('reading or writing in a cgroup that is gone answers null and false', () => {
  assert.equal(readControl('/nowhere/pids.max'), null);
  assert.equal(writeControl('/nowhere/pids.max', '1'), false);
});

test('a kept file is read anew each time and is null once closed', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'q-kept-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'value');
  writeFileSync(path, '1');
  const kept = new KeptFile(path);
  assert.equal(kept.read(), '1');
  writeFileSync(path, '23');
  assert.equal(kept.read(), '23');
  kept.close();
  assert.equal(kept.read(), null);
  assert.equal(new KeptFile(join(folder, 'none')).read(), null);
});

test('CPU percent is microseconds of a 100 ms period, at least 1 ms', () => {
  assert.equal(cpuQuotaUs(50), 50_000);
  assert.equal(cpuQuotaUs(150), 150_000);
  assert.equal(cpuQuotaUs(0.1), 1000);
});

test('v2 limits go to their files, the OOM group is for steps only', () => {
  const all = new Set(['memory', 'cpu', 'pids', 'io']);
  const limits = { memoryBytes: 1024.5, cpuPercent: 50, processes: 9 };
  const instance = [
    ['memory.max', '1024'],
    ['memory.swap.max', '0'],
    ['cpu.max', '50000 100000'],
    ['pids.max', '9'],
  ];
  assert.deepEqual(v2LimitFiles(limits, 'instance', all, ['8:0']), instance);
  assert.deepEqual(v2LimitFiles(limits, 'step', all, []), [
    ...instance.slice(0, 2),
    ['memory.oom.group', '1'],
    ...instance.slice(2),
  ]);
  assert.deepEqual(v2LimitFiles(limits, 'step', new Set(['pids']), []), [['pids.max', '9']]);
});

test('a v2 limit of IO is written once for each disk, and only where the controller is', () => {
  const limits = {
    memoryBytes: null,
    cpuPercent: null,
    processes: null,
    ioBytesPerSecond: 1.5 * 1024 * 1024,
  };
  const disks = ['8:0', '254:16'];
  assert.deepEqual(v2LimitFiles(limits, 'instance', new Set(['io']), disks), [
    ['io.max', '8:0 rbps=1572864 wbps=1572864'],
    ['io.max', '254:16 rbps=1572864 wbps=1572864'],
  ]);
  assert.deepEqual(v2LimitFiles(limits, 'instance', new Set(['cpu']), disks), []);
});

test('the v2 meter reads what is there and keeps the last values when it goes', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'q-meter-'));
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put('memory.current', '500\n');
  put('memory.peak', '900\n');
  put('memory.events', 'low 0\nhigh 0\nmax 4\noom 1\noom_kill 2\noom_group_kill 1\n');
  put('cpu.stat', 'usage_usec 2500000\nuser_usec 1\nsystem_usec 1\nthrottled_usec 500000\n');
  put('pids.current', '3\n');
  put('pids.events', 'max 5\n');
  const meter = openV2Meter(folder);
  const usage = meter.usage('full');
  assert.deepEqual(usage, {
    memoryBytes: 500,
    memoryPeakBytes: 900,
    cpuSeconds: 2.5,
    cpuThrottledSeconds: 0.5,
    processes: 3,
    processesPeak: 3,
    oomKills: 2,
    forksRefused: 5,
  });
  meter.close();
  rmSync(folder, { recursive: true });
  assert.deepEqual(meter.usage('full'), usage);
  t.diagnostic('pids.peak is not there on kernels before 6.1');
});
