import { ensureError } from '../../src/errors/workflow-error.ts';
import type { ScopeLimits, Usage } from '../isolation.ts';
import type { Members } from './members.ts';

const CALM_MS = 250;
const CLOSE_MS = 50;
/** Above this share of the memory limit we look more often: at 4 Hz a fast hog passes it by 256 MiB, at 20 Hz by 16. */
const CLOSE_SHARE = 0.7;
/** For a tree that grows towards its memory limit: a look costs a scan of all processes, so not more often. */
const SHORTEST_MS = 10;

/** One look at the tree. */
export interface Sample {
  readonly pids: readonly number[];
  readonly memoryBytes: number;
  /** CPU time used since the look before. */
  readonly usedMs: number;
  readonly elapsedMs: number;
}

/**
 * Time until the next look. A CPU limit is held by stopping and continuing the tree, and that needs the fast beat. A
 * tree that grew since the look before is looked at again after half of the time in which it would reach its memory
 * limit; one that rests costs no more looks. `growth` is in bytes a ms.
 */
export function pauseAfter(memoryBytes: number, limits: ScopeLimits, growth = 0): number {
  const beatMs = beatAt(memoryBytes, limits);
  if (limits.memoryBytes === null || growth <= 0) return beatMs;
  const leftMs = Math.max(0, limits.memoryBytes - memoryBytes) / growth;
  return Math.min(beatMs, Math.max(SHORTEST_MS, Math.floor(leftMs / 2)));
}

function beatAt(memoryBytes: number, limits: ScopeLimits): number {
  if (limits.cpuPercent !== null) return CLOSE_MS;
  if (limits.memoryBytes !== null && memoryBytes > limits.memoryBytes * CLOSE_SHARE) return CLOSE_MS;
  return CALM_MS;
}

/**
 * Looks at a tree again and again with pidusage while it has processes. Resident memory is added up, so pages that
 * processes share count more than once.
 */
export class Sampler {
  readonly #members: Members;
  readonly #limits: ScopeLimits;
  readonly #onSample: (sample: Sample) => void;
  readonly #cpuMsByPid = new Map<number, number>();
  #timer: NodeJS.Timeout | null = null;
  #isStarted = false;
  /** The processes lived before the watch: what they used until the first look was not used now. */
  #isLate = false;
  #lastAt = 0;
  #pids: readonly number[] = [];
  #usage: Usage = {
    memoryBytes: 0,
    memoryPeakBytes: 0,
    cpuSeconds: 0,
    cpuThrottledSeconds: 0,
    processes: 0,
    processesPeak: 0,
    oomKills: 0,
    forksRefused: 0,
  };

  constructor(members: Members, limits: ScopeLimits, onSample: (sample: Sample) => void) {
    this.#members = members;
    this.#limits = limits;
    this.#onSample = onSample;
  }

  /** The processes of the last look. */
  get pids(): readonly number[] {
    return this.#pids;
  }

  get usage(): Usage {
    return this.#usage;
  }

  /** `late` = the processes were started long before: only what they use from the first look on is used now. */
  start(from: 'birth' | 'late' = 'birth'): void {
    if (this.#isStarted) return;
    this.#isStarted = true;
    this.#isLate = from === 'late';
    this.#lastAt = performance.now();
    this.#next(0);
  }

  stop(): void {
    this.#isStarted = false;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #next(pauseMs: number): void {
    this.#timer = setTimeout(() => {
      this.#look().catch((error: unknown) => {
        // Blind for one beat is no reason to end the owner's process; it hears of it by the `warning` event.
        process.emitWarning(ensureError(error));
        if (this.#isStarted) this.#next(CALM_MS);
      });
    }, pauseMs);
    // A watch alone is no reason to stay alive.
    this.#timer.unref();
  }

  async #look(): Promise<void> {
    const pids = this.#members.scan('quick');
    const seen = await measure(pids);
    if (!this.#isStarted) return;
    this.#pids = pids;
    if (pids.length === 0) return this.stop();
    const before = this.#usage.memoryBytes;
    const sample = this.#add(pids, seen);
    this.#onSample(sample);
    const growth = (sample.memoryBytes - before) / Math.max(1, sample.elapsedMs);
    if (this.#isStarted) this.#next(pauseAfter(sample.memoryBytes, this.#limits, growth));
  }

  #add(pids: readonly number[], seen: readonly Measure[]): Sample {
    const now = performance.now();
    const elapsedMs = now - this.#lastAt;
    this.#lastAt = now;
    let usedMs = 0;
    let memoryBytes = 0;
    for (const { pid, memory, ctime } of seen) {
      memoryBytes += memory;
      // A smaller value than before: the pid is another process now.
      const before = this.#cpuMsByPid.get(pid) ?? 0;
      usedMs += ctime >= before ? ctime - before : ctime;
      this.#cpuMsByPid.set(pid, ctime);
    }
    const living = new Set(pids);
    for (const pid of this.#cpuMsByPid.keys()) if (!living.has(pid)) this.#cpuMsByPid.delete(pid);
    this.#usage = {
      ...this.#usage,
      memoryBytes,
      memoryPeakBytes: Math.max(this.#usage.memoryPeakBytes, memoryBytes),
      cpuSeconds: this.#usage.cpuSeconds + usedMs / 1000,
      processes: pids.length,
      processesPeak: Math.max(this.#usage.processesPeak, pids.length),
    };
    const sinceBeforeMs = this.#isLate ? 0 : usedMs;
    this.#isLate = false;
    return { pids, memoryBytes, usedMs: sinceBeforeMs, elapsedMs };
  }
}

interface Measure {
  readonly pid: number;
  readonly memory: number;
  readonly ctime: number;
}

/** One batch call of pidusage, loaded at the first. A pid that ended meanwhile is left out. */
async function measure(pids: readonly number[]): Promise<Measure[]> {
  if (pids.length === 0) return [];
  const { default: pidusage } = await import('pidusage');
  try {
    const stats = await pidusage([...pids], { maxage: 5000 });
    return Object.values(stats).filter((stat) => stat !== undefined && stat !== null);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // All of them ended between the scan and the look.
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error;
    return [];
  }
}
