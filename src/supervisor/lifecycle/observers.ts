import { ensureError } from '../../errors/workflow-error.ts';
import type { SupervisorContext } from '../context.ts';
import { createDiskWatch } from '../upkeep/disk-watch.ts';
import { createSampler } from '../watching/sampler.ts';
import type { EndRequest, LiveInstance } from './live-instance.ts';
import { createPulses, reportHung } from './pulses.ts';

/** What looks at live instances again and again, as long as there are any. */
export interface Observers {
  /** There may be something to look at now. */
  wake(): void;
  close(): void;
}

/** `end` ends an instance whose scratch was seen over its limit (the breach is noted already), or that hangs. */
export function createObservers(
  context: SupervisorContext,
  lives: () => Iterable<LiveInstance>,
  end: (live: LiveInstance, request: EndRequest) => void,
): Observers {
  const { log } = context;
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
      end(live, { kind: 'limit', by: 'disk' });
    },
    log,
  );
  const pulses = createPulses(lives, (live, silentMs) => {
    reportHung(context, live, silentMs);
    end(live, { kind: 'hung', by: `it was silent for ${Math.round(silentMs / 1000)} s` });
  });
  return {
    wake: () => {
      sampler.wake();
      pulses.wake();
      diskWatch.wake();
    },
    close: () => {
      sampler.close();
      pulses.close();
      diskWatch.close();
    },
  };
}
