import { SUPERVISOR } from '../../audit/record.ts';
import type { Timed } from '../../definition/triggers.ts';
import { type DueFire, decideFires } from '../../schedule/decide-fires.ts';
import { dueFires, planFrom } from '../../schedule/due-fires.ts';
import { planFires } from '../../schedule/plan.ts';
import type { SupervisorContext } from '../context.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { isReturning, type LiveInstance } from '../lifecycle/live-instance.ts';
import type { FireActions } from './fire-actions.ts';
import type { ScheduleEntry } from './schedule-entry.ts';

/** Whether an instance that may have ended while no supervisor was there is waited for, to tell. */
export type Patience = 'wait' | 'decide';

/** Where an instance that is ending is not with the fleet any more, and not ended in the database yet. */
const LOOK_AGAIN_MS = 1000;
/** After this the rest of a long catching up is left for the next visit: other workflows fire meanwhile. */
const VISIT_MS = 50;

/**
 * Makes the visit to one workflow: decides what is due, starts what waited, and sets when to come again. One visit at a
 * time. `freed` is called when an instance that a fire waits for has ended.
 */
export function createVisits(
  { store, now }: SupervisorContext,
  fleet: Fleet,
  actions: FireActions,
  freed: (workflow: string) => void,
  monotonic: () => number,
): (entry: ScheduleEntry, awakeSince: number, patience: Patience) => Promise<void> {
  const watched = new WeakSet<LiveInstance>();

  const plan = async (
    entry: ScheduleEntry,
    workflow: Timed,
    awakeSince: number,
    patience: Patience,
  ): Promise<void> => {
    const { workflow: name } = entry.row;
    const at = now();
    const from = planFrom(workflow, entry.decidedTo, at);
    if (from > entry.decidedTo) {
      const [older] = (await planFires(workflow, entry.decidedTo)).take(1).toArray();
      if (older !== undefined && older.at <= from) await actions.missOlder(entry, from);
      entry.decidedTo = from;
    }
    const { due, next, nextDue } = await dueFires(workflow, from, at);
    entry.next = next;
    entry.nextDue = nextDue;
    const last = due.at(-1);
    if (last === undefined) return;
    // Some have their decision only where the clock was set back, or by a second supervisor.
    const [known, live, waiting] = await Promise.all([
      store.call('fire.known', { workflow: name, after: from, until: last.at }),
      store.call('fire.live', { workflow: name }),
      store.call('fire.waiting', { workflow: name }),
    ]);
    const decided = new Set(known);
    const open = due.filter((fire) => !decided.has(fire.at));
    entry.isHeldUp = patience === 'wait' && open.some(minds) && live.some(mayHaveEnded);
    if (entry.isHeldUp) {
      entry.nextDue = at + LOOK_AGAIN_MS;
      return;
    }
    const situation = { now: at, awakeSince, isLive: live.length > 0, waitingCount: waiting.length };
    entry.backlog = { decisions: decideFires(open, situation), to: last.at };
  };

  /** A skip is for good; what is queued for it, or in its place, starts as soon as it is known. */
  const minds = ({ trigger }: DueFire): boolean => trigger.overlap === 'skip';
  const mayHaveEnded = (id: string): boolean => {
    const found = fleet.find(id);
    return found !== null && isReturning(found);
  };

  const carryOut = async (
    entry: ScheduleEntry,
    { decisions, to }: NonNullable<ScheduleEntry['backlog']>,
  ): Promise<void> => {
    const begunAt = monotonic();
    // What fails is decided anew, by what is live then.
    entry.backlog = null;
    for (const [index, decision] of decisions.entries()) {
      if (index > 0 && monotonic() - begunAt >= VISIT_MS) {
        entry.backlog = { decisions: decisions.slice(index), to };
        entry.nextDue = now();
        return;
      }
      await actions.carryOut(entry, decision);
      entry.decidedTo = decision.action === 'miss' ? decision.to : decision.at;
    }
    entry.decidedTo = to;
  };

  /** Starts the oldest fire that waits, when nothing it waits for is left. */
  const startWaiting = async (entry: ScheduleEntry): Promise<void> => {
    const { workflow } = entry.row;
    while (entry.hasWaiting) {
      const [first] = await store.call('fire.waiting', { workflow });
      entry.hasWaiting = first !== undefined;
      if (first === undefined) return;
      const ids = await store.call('fire.live', { workflow });
      for (const id of ids) await awaitEnd(entry, id, first.status === 'replacing' ? 'stop' : 'leave');
      if (ids.length > 0) return;
      await actions.start(entry, first.at, 'waiting', SUPERVISOR);
    }
  };

  const awaitEnd = async (entry: ScheduleEntry, id: string, what: 'stop' | 'leave'): Promise<void> => {
    const live = fleet.find(id);
    if (live === null) {
      entry.nextDue = Math.min(entry.nextDue ?? Number.POSITIVE_INFINITY, now() + LOOK_AGAIN_MS);
      return;
    }
    if (!watched.has(live)) {
      watched.add(live);
      live.watchers.add(({ method }) => method === 'instance.ended' && freed(entry.row.workflow));
    }
    if (what === 'stop' && live.pendingStop === null) await fleet.stop(live, SUPERVISOR);
  };

  return async (entry, awakeSince, patience) => {
    entry.nextDue = null;
    if (entry.workflow === null || entry.row.pausedAt !== null) return;
    // The rest of an earlier visit comes first: what is due since then is planned behind it.
    if (entry.backlog !== null) entry.nextDue = now();
    else await plan(entry, entry.workflow, awakeSince, patience);
    if (entry.backlog !== null) await carryOut(entry, entry.backlog);
    await startWaiting(entry);
  };
}
