import { ensureError } from '../../errors/workflow-error.ts';
import type { Diagnostics } from '../diagnostics.ts';
import { isPaused, type LiveInstance } from '../lifecycle/live-instance.ts';
import { scratchFolder } from '../sandboxes/scratch.ts';
import { folderSize } from './folder-size.ts';

/** Watches the scratch of instances that have a `max_disk_mb`: observed, so it may be passed before we look. */
export interface DiskWatch {
  /** There may be something to look at now. */
  wake(): void;
  close(): void;
}

const LOOK_MS = 1000;

const MAX_CAUSE = 300;

/** `passed` ends the instance. */
export function createDiskWatch(
  lives: () => Iterable<LiveInstance>,
  passed: (live: LiveInstance, seenBytes: number) => void,
  log: Diagnostics,
): DiskWatch {
  let timer: NodeJS.Timeout | null = null;
  let isLooking = false;

  const look = async (): Promise<void> => {
    const watched = [...lives()].filter((live) => (live.row.limits.diskBytes ?? null) !== null);
    if (watched.length === 0) return close();
    for (const live of watched) {
      const allowed = live.row.limits.diskBytes ?? null;
      if (allowed === null || live.scope === null || isPaused(live)) continue;
      try {
        const seen = await folderSize(scratchFolder(live.row.id));
        if (seen > allowed && live.scope !== null) passed(live, seen);
      } catch (error) {
        // What a step made of its folder keeps no other from being looked at.
        log.warn('a scratch folder could not be measured', {
          instance: live.row.id,
          cause: ensureError(error).message.slice(0, MAX_CAUSE),
        });
      }
    }
  };
  const close = (): void => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };

  return {
    wake: () => {
      timer ??= setInterval(() => {
        // A large folder takes longer than our beat: one look at a time.
        if (isLooking) return;
        isLooking = true;
        void look().finally(() => {
          isLooking = false;
        });
      }, LOOK_MS).unref();
    },
    close,
  };
}
