import { ensureError } from '../errors/workflow-error.ts';
import type { SupervisorContext } from './context.ts';
import { createDiskWatch } from './disk-watch.ts';
import type { LiveInstance } from './live-instance.ts';
import { createSampler } from './sampler.ts';

/** What looks at live instances again and again, as long as there are any. */
export interface Observers {
  /** There may be something to look at now. */
  wake(): void;
  close(): void;
}

/** `overDisk` is to end an instance whose scratch was seen over its limit; the breach is noted already. */
export function createObservers(
  { log }: SupervisorContext,
  lives: () => Iterable<LiveInstance>,
  overDisk: (live: LiveInstance) => void,
): Observers {
  const sampler = createSampler(lives, (live, error) => {
    log.warn('what an instance uses could not be read', {
      instance: live.row.id,
      cause: ensureError(error).message,
    });
  });
  const diskWatch = createDiskWatch(
    lives,
    (live, seen) => {
      live.observedBreach ??= { limit: 'disk', allowed: live.row.limits.diskBytes ?? 0, seen };
      overDisk(live);
    },
    log,
  );
  return {
    wake: () => {
      sampler.wake();
      diskWatch.wake();
    },
    close: () => {
      sampler.close();
      diskWatch.close();
    },
  };
}
