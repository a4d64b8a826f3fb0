import { readFileSync } from 'node:fs';

/**
 * How long the first thread of a process has waited for a processor while it could have run, ms: the second figure of
 * /proc/PID/schedstat (Documentation/scheduler/sched-stats.rst). Null where the kernel does not say.
 */
export function runDelayMs(pid: number): number | null {
  try {
    const [, waitedNs = ''] = readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ');
    return /^\d+$/.test(waitedNs) ? Number(waitedNs) / 1e6 : null;
  } catch {
    // Gone, another system, or a kernel without these counts: nobody is excused by it then.
    return null;
  }
}
