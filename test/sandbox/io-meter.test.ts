import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { ioLimitLine, liftIoLimit, wholeDisks } from '../../sandbox/cgroupfs/io-limit.ts';
import { IoMeter, parseIoStat } from '../../sandbox/cgroupfs/io-meter.ts';

const STAT = `254:0 rbytes=4096 wbytes=8192 rios=1 wios=2 dbytes=0 dios=0
253:0 rbytes=1000 wbytes=2000 rios=1 wios=1 dbytes=0 dios=0
7:1 \n8:16 cost.vrate=100.00 rbytes=1 wbytes=2 rios=1 wios=1 dbytes=0 dios=0
`;

describe('io of a cgroup', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'qw-io-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('is the sum over devices, without those that hand on to others', () => {
    assert.deepEqual(
      parseIoStat(STAT, () => false),
      { readBytes: 5097, writtenBytes: 10194 },
    );
    assert.deepEqual(
      parseIoStat(STAT, (device) => device === '253:0'),
      { readBytes: 4097, writtenBytes: 8194 },
    );
    assert.deepEqual(
      parseIoStat('', () => false),
      { readBytes: 0, writtenBytes: 0 },
    );
  });

  test('is read anew each time, and stays when the cgroup goes', () => {
    // A device that is on no machine stands on no other.
    writeFileSync(join(folder, 'io.stat'), '4095:1 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n');
    const meter = new IoMeter(folder);
    assert.deepEqual(meter.read(), { readBytes: 10, writtenBytes: 20 });
    writeFileSync(join(folder, 'io.stat'), '4095:1 rbytes=11 wbytes=22 rios=1 wios=1 dbytes=0 dios=0\n');
    assert.deepEqual(meter.read(), { readBytes: 11, writtenBytes: 22 });
    meter.close();
    assert.deepEqual(meter.read(), { readBytes: 11, writtenBytes: 22 });
  });

  test('without io.stat is that of its processes, and unknown while it has none', () => {
    const meter = new IoMeter(folder);
    assert.equal(meter.read(), null);
    meter.close();
  });

  test('disks are those with a size; disks in memory are none', () => {
    const disk = (name: string, device: string, size: string): void => {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, 'dev'), `${device}\n`);
      writeFileSync(join(folder, name, 'size'), `${size}\n`);
    };
    disk('vda', '254:0', '536870912');
    disk('loop0', '7:0', '0');
    disk('loop1', '7:1', '800');
    disk('ram0', '1:0', '8192');
    disk('zram0', '253:0', '8192');
    assert.deepEqual(wholeDisks(folder), ['7:1', '254:0']);
    assert.deepEqual(wholeDisks(join(folder, 'none')), []);
  });

  test('a limit is whole bytes, of reads and of writes, never none', () => {
    assert.equal(ioLimitLine('254:0', 1.5), '254:0 rbps=1 wbps=1');
    assert.equal(ioLimitLine('254:0', 0.1), '254:0 rbps=1 wbps=1');
    assert.equal(ioLimitLine('8:0', 2097152), '8:0 rbps=2097152 wbps=2097152');
  });

  test('the limit of a cgroup that is ended is lifted; without one nothing is written', () => {
    const file = join(folder, 'io.max');
    liftIoLimit(folder);
    writeFileSync(file, '254:0 rbps=1048576 wbps=1048576 riops=max wiops=max\n');
    liftIoLimit(folder);
    assert.match(readFileSync(file, 'utf8'), /^254:0 rbps=max wbps=max/);
  });
});
