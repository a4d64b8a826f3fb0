import type { Usage } from '../isolation.ts';
import { KeptFile, keyedNumber, RareFile } from './control-file.ts';
import type { Folders } from './folders.ts';
import { IoMeter } from './io-meter.ts';
import { LocalCounters } from './local-counters.ts';
import { ProcessCount } from './process-count.ts';
import type { Meter } from './version.ts';

/**
 * Counters of a v1 scope. `folders` may lack controllers: their values stay 0. A quick look at a scope that used no
 * CPU time since the last one is one read: who did not run has neither taken memory nor started a process.
 */
export function openV1Meter(folders: Folders): Meter {
  const file = (controller: string, name: string): KeptFile | null =>
    folders[controller] === undefined ? null : new KeptFile(`${folders[controller]}/${name}`);
  const memory = file('memory', 'memory.usage_in_bytes');
  const rare = (controller: string, name: string): RareFile | null =>
    folders[controller] === undefined ? null : new RareFile(`${folders[controller]}/${name}`);
  const memoryPeak = rare('memory', 'memory.max_usage_in_bytes');
  const cpuTime = file('cpuacct', 'cpuacct.usage');
  const cpuStat = rare('cpu', 'cpu.stat');
  const count = folders.pids === undefined ? null : new ProcessCount(folders.pids);
  const pidsPeak = rare('pids', 'pids.peak');
  const tree = new LocalCounters(folders.memory ?? null, folders.pids ?? null);
  const io = new IoMeter(v1ProcessFolder(folders));
  let last: Usage = {
    memoryBytes: 0,
    memoryPeakBytes: 0,
    cpuSeconds: 0,
    cpuThrottledSeconds: 0,
    processes: 0,
    processesPeak: 0,
    oomKills: 0,
    forksRefused: 0,
  };

  let hasLooked = false;

  const usage = (detail: 'quick' | 'full'): Usage => {
    const cpuSeconds = numberIn(cpuTime, last.cpuSeconds * 1e9) / 1e9;
    if (detail === 'quick' && hasLooked && cpuTime !== null && cpuSeconds === last.cpuSeconds) return last;
    hasLooked = true;
    const memoryBytes = numberIn(memory, last.memoryBytes);
    const processes = count?.read(last.processes) ?? last.processes;
    last = {
      ...last,
      memoryBytes,
      memoryPeakBytes: Math.max(last.memoryPeakBytes, memoryBytes),
      cpuSeconds,
      processes,
      processesPeak: Math.max(last.processesPeak, processes),
    };
    if (detail === 'quick') return last;
    const throttled = cpuStat?.read();
    last = {
      ...last,
      cpuThrottledSeconds: throttled
        ? keyedNumber(throttled, 'throttled_time') / 1e9
        : last.cpuThrottledSeconds,
      memoryPeakBytes: Math.max(last.memoryPeakBytes, numberIn(memoryPeak, 0)),
      processesPeak: Math.max(last.processesPeak, numberIn(pidsPeak, 0)),
      ...tree.sum(),
    };
    return last;
  };
  const close = (): void => {
    for (const kept of [memory, memoryPeak, cpuTime, cpuStat, pidsPeak]) kept?.close();
    count?.close();
    tree.close();
    io.close();
  };
  return { usage, io: () => io.read(), close };
}

/** The hierarchy whose cgroup.procs lists the processes of a v1 scope. */
export function v1ProcessFolder(folders: Folders): string {
  return folders.pids ?? folders.memory ?? folders.freezer ?? folders.unified ?? '';
}

function numberIn(file: KeptFile | RareFile | null, fallback: number): number {
  const text = file?.read();
  return text ? Number.parseInt(text, 10) || 0 : fallback;
}
