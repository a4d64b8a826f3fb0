import { type LiveInstance, notify } from '../lifecycle/live-instance.ts';
import { createUsageHistory } from '../lifecycle/usage-history.ts';

/** Looks at what the live instances use, as long as there are any. */
export interface Sampler {
  /** There may be something to look at now. */
  wake(): void;
  close(): void;
}

/** 4 Hz: what `docs/isolation.md` promises; a look is three reads of files that are kept open. */
export const SAMPLE_MS = 250;
/** Who follows a run hears of every fourth look. */
const TOLD_EVERY = 4;

/** `lives` answers the instances that may have a process; `failed` hears of a look that could not be taken. */
export function createSampler(
  lives: () => Iterable<LiveInstance>,
  failed: (live: LiveInstance, error: unknown) => void,
): Sampler {
  let timer: NodeJS.Timeout | null = null;
  let looks = 0;

  const look = (): void => {
    looks += 1;
    const isTold = looks % TOLD_EVERY === 0;
    const now = performance.now();
    let isIdle = true;
    for (const live of lives()) {
      if (live.scope === null) continue;
      isIdle = false;
      // One that is being started or adopted has more urgent work for us than to be looked at.
      if (!live.hasReported) continue;
      try {
        sample(live, now, isTold);
      } catch (error) {
        // Blind for one look is no reason to end the daemon.
        failed(live, error);
      }
    }
    if (isIdle) close();
  };
  const close = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };

  return {
    wake: () => {
      timer ??= setInterval(look, SAMPLE_MS).unref();
    },
    close,
  };
}

function sample(live: LiveInstance, now: number, isTold: boolean): void {
  if (live.scope === null) return;
  live.history ??= createUsageHistory(SAMPLE_MS, live.row.usage?.series ?? null);
  const { scope } = live;
  // Dearer than the rest: once a second is enough.
  const readIo = isTold ? () => scope.io() : null;
  const point = live.history.add(scope.usage('quick'), now, readIo);
  live.usedNow = point;
  if (!isTold || live.watchers.size === 0) return;
  notify(live, {
    method: 'instance.usage',
    params: {
      id: live.row.id,
      memory_bytes: point.memoryBytes,
      cpu_percent: Math.round(point.cpuPercent),
      processes: point.processes,
      io_read_bytes: point.io?.readBytes ?? null,
      io_written_bytes: point.io?.writtenBytes ?? null,
    },
  });
}
