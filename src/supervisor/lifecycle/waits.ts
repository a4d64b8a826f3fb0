import type { JournalEntry } from '../../engine/events.ts';
import type { SupervisorContext } from '../context.ts';
import { isReleased } from '../guard/approval-list.ts';
import { later } from '../later.ts';
import { isPaused, type LiveInstance, setStatus } from './live-instance.ts';
import type { Pauses } from './pauses.ts';
import { openWaitMarks, type WaitMarks } from './wait-marks.ts';

/** Runs without a process that go on by themselves: at their time, or when what they wait for is decided. */
export interface Waits {
  /** The process of a waiting run is gone. */
  begin(live: LiveInstance): void;
  /** An approval of the run is decided: its process is told, or started. */
  released(live: LiveInstance, approval: number): void;
  /** The wall clock jumped forward, or the machine slept: a timer that runs by another one would end a wait too late. */
  clockJumped(live: LiveInstance): void;
}

export function createWaits(
  context: SupervisorContext,
  pauses: () => Pauses,
  goOn: (live: LiveInstance) => void,
  monotonic: () => number = () => performance.now(),
  marks: WaitMarks = openWaitMarks(context),
): Waits {
  /** When their timers end, by the monotonic clock. */
  const ends = new WeakMap<LiveInstance, number>();
  /** A question expires by the wall clock. Anything else has waited its time, also when that was set back meanwhile. */
  const delayOf = (live: LiveInstance): number => {
    const { id, wakeAt } = live.row;
    const byWall = (wakeAt ?? 0) - context.now();
    if (wakeAt === null || byWall <= 0 || isAsking(live)) return byWall;
    const left = marks.left(id, wakeAt);
    if (left === null) marks.set(id, wakeAt, byWall);
    return Math.min(byWall, left ?? byWall);
  };
  const begin: Waits['begin'] = (live) => {
    if (isPaused(live)) {
      void pauses().settle(live);
      return;
    }
    setStatus(live, 'waiting', null);
    const delayMs = isDecided(live) ? 0 : delayOf(live);
    const endsAt = monotonic() + delayMs;
    ends.set(live, endsAt);
    // A timer holds 24 days at most: look again then.
    later(live, delayMs, () => {
      const isOver = isDecided(live) || (live.row.wakeAt ?? 0) <= context.now();
      // It has waited its time, also when the clock was set back meanwhile; a question expires by the wall clock.
      if (isOver || (monotonic() >= endsAt && !isAsking(live))) goOn(live);
      else begin(live);
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
    clockJumped: (live) => {
      const leftMs = (live.row.wakeAt ?? 0) - context.now();
      if (monotonic() + leftMs < (ends.get(live) ?? Number.POSITIVE_INFINITY)) beginAnew(live);
    },
    released: (live, approval) => {
      live.link?.send({ type: 'released', approval });
      beginAnew(live);
    },
  };
}

/** Until when a run has waited that goes on; 0 when a decision ended its wait, or a question of it is open still. */
export function waitedUntil(live: LiveInstance, journal: readonly JournalEntry[]): number {
  const event = journal.findLast((entry) => entry.event.type === 'run.waiting')?.event;
  return event?.type !== 'run.waiting' || isDecided(live) || isAsking(live) ? 0 : event.until;
}

function isAsking({ approvals }: LiveInstance): boolean {
  return approvals.some(({ status }) => status === 'pending');
}

function isDecided(live: LiveInstance): boolean {
  return isReleased(live.approvals, live.projection.view().steps);
}
