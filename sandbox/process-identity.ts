import { readFileSync } from 'node:fs';

/** A process by more than its number: a pid is used again, pid + start time + boot id is not. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot (field 22 of /proc/PID/stat), as text; '' where there is no /proc. */
  readonly startTime: string;
  readonly bootId: string;
}

/** USER_HZ: the same on all architectures that Node runs on, proc_pid_stat(5). */
const TICKS_PER_SECOND = 100;

let cachedBootId: string | undefined;

/** The id of this boot of the kernel, or '' where there is no /proc. */
export function bootId(): string {
  cachedBootId ??= readText('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return cachedBootId;
}

/** The identity of a live process, or null when there is none with that pid. A zombie counts as dead. */
export function identify(pid: number): ProcessIdentity | null {
  const stat = readText(`/proc/${pid}/stat`);
  if (stat === null) return bootId() === '' && signalReaches(pid) ? { pid, startTime: '', bootId: '' } : null;
  // The command name may hold blanks and brackets: the fields begin after the last ')'.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return null;
  return { pid, startTime: fields[19] ?? '', bootId: bootId() };
}

/** True when the very process of this identity is alive. */
export function isAlive(identity: ProcessIdentity): boolean {
  if (identity.bootId !== bootId()) return false;
  const now = identify(identity.pid);
  return now !== null && now.startTime === identity.startTime;
}

/** How long ago the process of this identity began, of this boot and by the clock of the kernel; null when that is not known. */
export function processAgeMs({ startTime, bootId: boot }: ProcessIdentity): number | null {
  const uptime = Number(readText('/proc/uptime')?.split(' ')[0] ?? Number.NaN);
  if (startTime === '' || boot !== bootId() || Number.isNaN(uptime)) return null;
  const ageMs = uptime * 1000 - (Number(startTime) * 1000) / TICKS_PER_SECOND;
  // A container that is shown an uptime of its own: the start counts from that of the machine.
  return ageMs < 0 ? null : ageMs;
}

function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EPERM') return true;
    return false;
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ENOENT' || code === 'ESRCH' || code === 'ENOTDIR') return null;
    throw error;
  }
}
