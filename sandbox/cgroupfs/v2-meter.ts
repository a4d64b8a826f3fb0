import type { Usage } from '../isolation.ts';
import { KeptFile, keyedNumber } from './control-file.ts';
import type { Meter } from './version.ts';

/** Counters of a v2 scope; the kernel adds them over the tree. Files that this kernel lacks leave 0 or our own peak. */
export function openV2Meter(folder: string): Meter {
  const open = (name: string): KeptFile => new KeptFile(`${folder}/${name}`);
  const files = {
    memory: open('memory.current'),
    memoryPeak: open('memory.peak'),
    memoryEvents: open('memory.events'),
    cpu: open('cpu.stat'),
    pids: open('pids.current'),
    pidsPeak: open('pids.peak'),
    pidsEvents: open('pids.events'),
  };
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

  const usage = (detail: 'quick' | 'full'): Usage => {
    const memoryBytes = number(files.memory.read(), last.memoryBytes);
    const processes = number(files.pids.read(), last.processes);
    const cpu = files.cpu.read();
    last = {
      ...last,
      memoryBytes,
      memoryPeakBytes: Math.max(last.memoryPeakBytes, memoryBytes, number(files.memoryPeak.read(), 0)),
      cpuSeconds: cpu === null ? last.cpuSeconds : keyedNumber(cpu, 'usage_usec') / 1e6,
      cpuThrottledSeconds: cpu === null ? last.cpuThrottledSeconds : keyedNumber(cpu, 'throttled_usec') / 1e6,
      processes,
      processesPeak: Math.max(last.processesPeak, processes),
    };
    if (detail === 'quick') return last;
    const memoryEvents = files.memoryEvents.read();
    const pidsEvents = files.pidsEvents.read();
    last = {
      ...last,
      processesPeak: Math.max(last.processesPeak, number(files.pidsPeak.read(), 0)),
      oomKills: memoryEvents === null ? last.oomKills : keyedNumber(memoryEvents, 'oom_kill'),
      forksRefused: pidsEvents === null ? last.forksRefused : keyedNumber(pidsEvents, 'max'),
    };
    return last;
  };
  const close = (): void => {
    for (const file of Object.values(files)) file.close();
  };
  return { usage, close };
}

function number(text: string | null, fallback: number): number {
  return text === null ? fallback : Number.parseInt(text, 10) || 0;
}
