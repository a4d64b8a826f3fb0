import type { Usage } from '../../sandbox/isolation.ts';
import type { RunEvent } from '../engine/events.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';

export type LimitHit = Extract<RunEvent, { type: 'limit.hit' }>;

/** What held for one attempt. Null = only the limit of the instance. */
export interface StepLimits {
  readonly memoryBytes: number;
  readonly processes: number;
  /** The skill's own; that of the instance is told once, at the end of the run. */
  readonly cpuPercent: number | null;
}

/** Less than this a quota holds back any start of a few processes: nothing that a person would want to hear of. */
const MIN_HELD_BACK_SECONDS = 0.5;

/**
 * The limits that an attempt met, from its error and from the kernel's counters of its scope (null where it had
 * none): what the kernel refused or killed counts also when the attempt succeeded all the same.
 */
export function stepLimitHits(
  path: string,
  error: ErrorRecord | null,
  usage: Usage | null,
  limits: StepLimits,
): LimitHit[] {
  const hits: LimitHit[] = [];
  const details = error?.details ?? {};
  if (error?.code === 'STEP_OOM' || (usage?.oomKills ?? 0) > 0) {
    const peak = numberIn(details, 'peak_bytes') ?? numberIn(details, 'memory_peak_bytes');
    const allowed = limits.memoryBytes;
    hits.push({
      type: 'limit.hit',
      path,
      limit: 'memory',
      allowed,
      peak: peak ?? usage?.memoryPeakBytes ?? allowed,
    });
  }
  const refused = usage?.forksRefused ?? 0;
  if (error?.code === 'PROCESS_LIMIT' || refused > 0)
    hits.push({
      type: 'limit.hit',
      path,
      limit: 'processes',
      allowed: limits.processes,
      peak: usage?.processesPeak ?? limits.processes,
      ...(refused > 0 ? { refused } : {}),
    });
  if (error?.code === 'STEP_TIMEOUT') {
    const allowed = (numberIn(details, 'timeout_ms') ?? 0) / 1000;
    hits.push({ type: 'limit.hit', path, limit: 'time', allowed, peak: allowed });
  }
  if (limits.cpuPercent !== null && usage !== null)
    hits.push(...cpuHit(path, usage, limits.cpuPercent, null));
  return hits;
}

/** What the CPU limit of the whole instance did to it; `activeSeconds` is the time that this process ran. */
export function runCpuHit(usage: Usage, cpuPercent: number, activeSeconds: number): LimitHit[] {
  return cpuHit(null, usage, cpuPercent, activeSeconds);
}

function cpuHit(path: string | null, usage: Usage, allowed: number, seconds: number | null): LimitHit[] {
  const heldBackSeconds = Math.round(usage.cpuThrottledSeconds * 100) / 100;
  if (heldBackSeconds < MIN_HELD_BACK_SECONDS) return [];
  const peak = seconds === null || seconds <= 0 ? allowed : Math.round((usage.cpuSeconds / seconds) * 100);
  return [{ type: 'limit.hit', path, limit: 'cpu', allowed, peak, heldBackSeconds }];
}

function numberIn(details: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = details[name];
  return typeof value === 'number' ? value : null;
}
