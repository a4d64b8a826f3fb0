import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { openV1Meter } from '../../sandbox/cgroupfs/v1-meter.ts';
import { openV2Meter } from '../../sandbox/cgroupfs/v2-meter.ts';
import type { Meter } from '../../sandbox/cgroupfs/version.ts';

interface Counters {
  readonly memory: number;
  readonly cpuMicroseconds: number;
  readonly processes: number;
}

const KINDS: readonly {
  readonly name: string;
  open(folder: string): Meter;
  put(folder: string, counters: Counters): void;
}[] = [
  {
    name: 'v1',
    open: (folder) => openV1Meter({ memory: folder, cpuacct: folder, pids: folder }),
    put: (folder, { memory, cpuMicroseconds, processes }) => {
      writeFileSync(join(folder, 'memory.usage_in_bytes'), `${memory}\n`);
      writeFileSync(join(folder, 'cpuacct.usage'), `${cpuMicroseconds * 1000}\n`);
      writeFileSync(join(folder, 'pids.current'), `${processes}\n`);
    },
  },
  {
    name: 'v2',
    open: openV2Meter,
    put: (folder, { memory, cpuMicroseconds, processes }) => {
      writeFileSync(join(folder, 'memory.current'), `${memory}\n`);
      writeFileSync(join(folder, 'cpu.stat'), `usage_usec ${cpuMicroseconds}\nthrottled_usec 0\n`);
      writeFileSync(join(folder, 'pids.current'), `${processes}\n`);
    },
  },
];

for (const kind of KINDS)
  describe(`the meter of a ${kind.name} scope`, () => {
    let folder: string;
    let meter: Meter;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'qw-meter-'));
      kind.put(folder, { memory: 1000, cpuMicroseconds: 0, processes: 1 });
      meter = kind.open(folder);
    });
    afterEach(() => {
      meter.close();
      rmSync(folder, { recursive: true });
    });

    test('tells a first quick look all, also with no CPU time used', () => {
      const { memoryBytes, processes } = meter.usage('quick');
      assert.deepEqual({ memoryBytes, processes }, { memoryBytes: 1000, processes: 1 });
    });

    test('a quick look reads on only when CPU time was used', () => {
      meter.usage('quick');
      kind.put(folder, { memory: 2000, cpuMicroseconds: 0, processes: 2 });
      assert.equal(meter.usage('quick').memoryBytes, 1000);
      kind.put(folder, { memory: 2000, cpuMicroseconds: 5, processes: 2 });
      const { memoryBytes, processes, cpuSeconds } = meter.usage('quick');
      assert.deepEqual(
        { memoryBytes, processes, cpuSeconds },
        { memoryBytes: 2000, processes: 2, cpuSeconds: 5e-6 },
      );
    });

    test('a fork that is about to be refused is no process over the limit', () => {
      writeFileSync(join(folder, 'pids.max'), '32\n');
      kind.put(folder, { memory: 1000, cpuMicroseconds: 5, processes: 33 });
      const { processes, processesPeak } = meter.usage('full');
      assert.deepEqual({ processes, processesPeak }, { processes: 32, processesPeak: 32 });
      writeFileSync(join(folder, 'pids.max'), 'max\n');
      kind.put(folder, { memory: 1000, cpuMicroseconds: 9, processes: 40 });
      assert.equal(meter.usage('full').processesPeak, 40);
    });

    test('a full look reads all', () => {
      meter.usage('quick');
      kind.put(folder, { memory: 2000, cpuMicroseconds: 0, processes: 2 });
      assert.equal(meter.usage('full').memoryBytes, 2000);
    });
  });
