import type { Usage } from '../isolation.ts';
import { KeptFile, keyedNumber, RareFile } from './control-file.ts';
import { IoMeter } from './io-meter.ts';
import { LocalCounters } from './local-counters.ts';
import { ProcessCount } from './process-count.ts';
import type { Meter } from './version.ts';

/**
 * Counters of a v2 scope; the kernel adds them over the tree. Files that this kernel lacks leave 0 or our own peak. A
 * quick look at a scope that used no CPU time since the last one is one read: who did not run has neither taken
 * memory nor started a process.
 */
export function openV2Meter(folder: string): Meter {
  const open = (name: string): KeptFile => new KeptFile(`${folder}/${name}`);
  const rare = (name: string): RareFile => new RareFile(`${folder}/${name}`);
  const files = {
    memory: open('memory.current'),
    memoryPeak: rare('memory.peak'),
    memoryEvents: rare('memory.events'),
    cpu: open('cpu.stat'),
    pidsPeak: rare('pids.peak'),
    pidsEvents: rare('pids.events'),
    // Since Linux 6.10; with it pids.events counts for the whole tree, before for each cgroup alone.
    pidsEventsLocal: rare('pids.events.local'),
  };
  const count = new ProcessCount(folder);
  const forkers = new LocalCounters(null, folder);
  const io = new IoMeter(folder);
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

  const refused = (): number =>
    files.pidsEventsLocal.read() === null
      ? forkers.sum().forksRefused
      : keyedNumber(files.pidsEvents.read() ?? '', 'max');
  let hasLooked = false;

  const usage = (detail: 'quick' | 'full'): Usage => {
    const cpu = files.cpu.read();
    const cpuSeconds = cpu === null ? last.cpuSeconds : keyedNumber(cpu, 'usage_usec') / 1e6;
    if (detail === 'quick' && hasLooked && cpu !== null && cpuSeconds === last.cpuSeconds) return last;
    hasLooked = true;
    const memoryBytes = number(files.memory.read(), last.memoryBytes);
    const processes = count.read(last.processes);
    last = {
      ...last,
      memoryBytes,
      memoryPeakBytes: Math.max(last.memoryPeakBytes, memoryBytes),
      cpuSeconds,
      cpuThrottledSeconds: cpu === null ? last.cpuThrottledSeconds : keyedNumber(cpu, 'throttled_usec') / 1e6,
      processes,
      processesPeak: Math.max(last.processesPeak, processes),
    };
    if (detail === 'quick') return last;
    const memoryEvents = files.memoryEvents.read();
    last = {
      ...last,
      memoryPeakBytes: Math.max(last.memoryPeakBytes, number(files.memoryPeak.read(), 0)),
      processesPeak: Math.max(last.processesPeak, number(files.pidsPeak.read(), 0)),
      oomKills: memoryEvents === null ? last.oomKills : keyedNumber(memoryEvents, 'oom_kill'),
      forksRefused: Math.max(last.forksRefused, refused()),
    };
    return last;
  };
  const close = (): void => {
    for (const file of Object.values(files)) file.close();
    count.close();
    forkers.close();
    io.close();
  };
  return { usage, io: () => io.read(), close };
}

function number(text: string | null, fallback: number): number {
  return text === null ? fallback : Number.parseInt(text, 10) || 0;
}
