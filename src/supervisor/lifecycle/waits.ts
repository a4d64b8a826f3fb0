import type { SupervisorContext } from '../context.ts';
import { isReleased } from '../guard/approval-list.ts';
import { later } from '../later.ts';
import { isPaused, type LiveInstance, setStatus } from './live-instance.ts';
import type { Pauses } from './pauses.ts';

/** Runs without a process that go on by themselves: at their time, or when what they wait for is decided. */
export interface Waits {
  /** The process of a waiting run is gone. */
  begin(live: LiveInstance): void;
  /** An approval of the run is decided: its process is told, or started. */
  released(live: LiveInstance, approval: number): void;
  /** The wall clock jumped: a timer that runs by the other one would end a wait too late. */
  clockJumped(live: LiveInstance): void;
}

export function createWaits(
  context: SupervisorContext,
  pauses: () => Pauses,
  goOn: (live: LiveInstance) => void,
): Waits {
  const begin: Waits['begin'] = (live) => {
    if (isPaused(live)) {
      void pauses().settle(live);
      return;
    }
    setStatus(live, 'waiting', null);
    const delayMs = isDecided(live) ? 0 : (live.row.wakeAt ?? 0) - context.now();
    // A timer holds 24 days at most: look again then.
    later(live, delayMs, () => {
      if (!isDecided(live) && (live.row.wakeAt ?? 0) > context.now()) begin(live);
      else goOn(live);
    });
  };
  /** One whose process is on its way out looks for itself when that is gone. */
  const beginAnew = (live: LiveInstance): void => {
    if (live.scope !== null || live.status !== 'waiting' || live.closing !== null) return;
    live.lifetime.abort();
    begin(live);
  };

  return {
    begin,
    clockJumped: beginAnew,
    released: (live, approval) => {
      live.link?.send({ type: 'released', approval });
      beginAnew(live);
    },
  };
}

function isDecided(live: LiveInstance): boolean {
  return isReleased(live.approvals, live.projection.view().steps);
}
