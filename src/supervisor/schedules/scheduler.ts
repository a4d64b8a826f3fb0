import { type AuditActor, SUPERVISOR } from '../../audit/record.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { takeBreaths } from '../breaths.ts';
import type { SupervisorContext } from '../context.ts';
import { nearRegistered } from '../definitions/registered-names.ts';
import type { Started } from '../definitions/run-workflow.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { createTurns } from '../turns.ts';
import { watchClock } from './clock-watch.ts';
import { createDueQueue } from './due-queue.ts';
import { createFireActions } from './fire-actions.ts';
import { type Entries, readSchedule, readSchedules, type ScheduleEntry } from './schedule-entry.ts';
import { createVisits } from './schedule-visit.ts';

/**
 * Starts registered workflows by the clock. What holds, whoever is killed when:
 * - The fires of one workflow are decided one after the other, in the order of their instants: the overlap of each is
 *   decided against the instances of those before it, which are durable by then. There is one visit to a workflow at a time.
 * - Several workflows are visited side by side. They share nothing but the fleet, which takes runs from anyone at any time.
 * - The row of a fire and its instance are one transaction, and nothing is launched before it: a supervisor that dies
 *   before it finds the fire due again, one that dies after it finds an instance in its queue.
 * - Nothing changes a registration or a schedule, nor is the clock taken in, while there is a visit.
 * - A visit ends soon, however much there is to catch up on: what is left comes in the next one.
 */
export interface Scheduler {
  /** Begins; what fired while nobody was there is decided first. */
  start(): void;
  /** Does something to a workflow's registration or schedule between two looks: it holds from then on, for what is due later. */
  change<T>(workflow: string, act: () => Promise<T>): Promise<T>;
  /** The registered workflows with schedules. */
  entries(): Promise<readonly ScheduleEntry[]>;
  /** Throws WORKFLOW_NOT_FOUND or NO_SCHEDULE. */
  find(name: string): Promise<ScheduleEntry>;
  /** Starts one now, as a fire of its own. Throws what keeps it from starting; that is recorded too. */
  trigger(name: string, actor: AuditActor): Promise<Started>;
  /** Starts nothing more. What is being started is the fleet's to refuse. */
  close(): void;
}

/** A timer runs by the monotonic clock: looking again after this sees that the other one jumped. */
const LONGEST_SLEEP_MS = 30_000;
const RETRY_MS = 1000;
/**
 * Visits at a time. Each waits for several commits, which those of others share; but as all prepare their runs in one
 * thread, with more of them the first would wait for the last.
 */
const SIDE_BY_SIDE = 8;

export function createScheduler(
  context: SupervisorContext,
  fleet: Fleet,
  monotonic: () => number = () => performance.now(),
): Scheduler {
  const { store, log, now } = context;
  const actions = createFireActions(context, fleet);
  const freed = (workflow: string): void => {
    const entry = entries.get(workflow);
    if (entry !== undefined) {
      entry.nextDue = now();
      queue.set(workflow, entry.nextDue);
    }
    lookSoon();
  };
  const visit = createVisits(context, fleet, actions, freed, monotonic);
  const queue = createDueQueue();
  const clock = watchClock(now, monotonic);
  const inTurn = createTurns();
  let entries: Entries = new Map();
  let awakeSince = now();
  let isOpen = false;
  /** What has to be read anew: with ten thousand schedules a change to one must not read them all. */
  let stale: Set<string> | 'all' = 'all';
  let isFirst = true;
  /** What is about to be changed: all that is due of it is decided before, whatever may still come to be known. */
  let changing: string | null = null;
  /** A jump of the clock that is not taken in yet. */
  let jumpMs: number | null = null;
  let timer: NodeJS.Timeout | null = null;

  const look = async (): Promise<void> => {
    if (!isOpen) return;
    if (timer !== null) clearTimeout(timer);
    timer = null;
    await followClock();
    const known = await current();
    const due = queue.take(now()).values();
    await Promise.all(Array.from({ length: SIDE_BY_SIDE }, () => visitEach(due, known)));
    const delay = Math.max(0, Math.min(LONGEST_SLEEP_MS, queue.soonest() - now()));
    if (!isOpen) return;
    timer = setTimeout(lookSoon, delay);
    timer.unref();
  };

  /** Until nothing is left that one of them has to catch up on, nor what came meanwhile. */
  const lookThrough = async (workflow: string): Promise<void> => {
    const isBehind = (): boolean => (entries.get(workflow)?.backlog ?? null) !== null;
    let wasBehind: boolean;
    changing = workflow;
    if (entries.get(workflow)?.isHeldUp === true) queue.set(workflow, now());
    try {
      do {
        wasBehind = isBehind();
        await look();
      } while (isOpen && (wasBehind || isBehind()));
    } finally {
      changing = null;
    }
  };

  /** One of several that take from the same names until there are no more. */
  const visitEach = async (
    due: Iterator<string, undefined>,
    known: ReadonlyMap<string, ScheduleEntry>,
  ): Promise<void> => {
    const breath = takeBreaths();
    for (let next = due.next(); next.done !== true; next = due.next()) {
      if (!isOpen) return;
      const entry = known.get(next.value);
      if (entry === undefined) continue;
      await visitSafely(entry);
      queue.set(next.value, entry.nextDue);
      await breath();
    }
  };

  const lookSoon = (): void =>
    void inTurn(look).catch((error: unknown) => {
      if (!isOpen) return;
      log.error('the scheduler could not look, trying again', { cause: ensureError(error).message });
      timer = setTimeout(lookSoon, RETRY_MS);
      timer.unref();
    });

  const followClock = async (): Promise<void> => {
    jumpMs = clock.look() ?? jumpMs ?? (await setBackMeanwhile());
    if (jumpMs === null) return;
    awakeSince = now();
    fleet.clockJumped();
    log.warn('the wall clock jumped, or the machine slept: schedules are planned again', { jumpMs });
    const data = { seconds: jumpMs / 1000 };
    // What was decided ahead of a clock that was set back comes again. What has its row is not given out a second time.
    await store.call('schedule.set_clock', {
      at: awakeSince,
      audit: { type: 'clock.jumped', at: awakeSince, actor: SUPERVISOR, instance: null, data },
    });
    await readAll();
    jumpMs = null;
  };

  /** How far the clock is behind what an earlier supervisor has decided; asked once. */
  const setBackMeanwhile = async (): Promise<number | null> => {
    if (!isFirst) return null;
    let behindMs = 0;
    for (const { row } of (await current()).values()) behindMs = Math.max(behindMs, row.decidedTo - now());
    isFirst = false;
    return behindMs > 0 ? -behindMs : null;
  };

  const visitSafely = async (entry: ScheduleEntry): Promise<void> => {
    try {
      await visit(entry, awakeSince, entry.row.workflow === changing ? 'decide' : 'wait');
    } catch (error) {
      entry.nextDue = now() + RETRY_MS;
      if (isOpen)
        log.error('the fires of a workflow could not be decided, trying again', {
          workflow: entry.row.workflow,
          cause: ensureError(error).message,
        });
    }
  };

  const readAll = async (): Promise<Set<string>> => {
    entries = await readSchedules(context, entries);
    for (const [name, { nextDue }] of entries) queue.set(name, nextDue);
    stale = new Set();
    return stale;
  };

  const current = async (): Promise<ReadonlyMap<string, ScheduleEntry>> => {
    const changed = stale === 'all' ? await readAll() : stale;
    for (const name of changed) {
      const entry = await readSchedule(context, name, entries.get(name));
      if (entry === null) entries.delete(name);
      else entries.set(name, entry);
      queue.set(name, entry?.nextDue ?? null);
      changed.delete(name);
    }
    return entries;
  };

  const findNow = async (name: string): Promise<ScheduleEntry> => {
    const entry = (await current()).get(name);
    if (entry !== undefined) return entry;
    if ((await store.call('registration.get', { name })) === null)
      throw new WorkflowError(
        'WORKFLOW_NOT_FOUND',
        `no workflow is registered as "${name}"${await nearRegistered(store, name)}`,
        {
          hint: 'Only registered workflows run by the clock: q workflow register <file>.',
        },
      );
    throw new WorkflowError('NO_SCHEDULE', `the workflow ${name} has no trigger of type schedule`);
  };

  return {
    start: () => {
      isOpen = true;
      lookSoon();
    },
    change: (workflow, act) =>
      inTurn(async () => {
        // What is due by now is due by the schedule as it was. Trouble with that does not keep a person from changing it.
        await lookThrough(workflow).catch((error: unknown) =>
          log.error('the scheduler could not look', { cause: ensureError(error).message }),
        );
        try {
          return await act();
        } finally {
          if (stale !== 'all') stale.add(workflow);
          lookSoon();
        }
      }),
    entries: () => inTurn(async () => [...(await current()).values()]),
    find: (name) => inTurn(() => findNow(name)),
    trigger: (name, actor) =>
      inTurn(async () => {
        const entry = await findNow(name);
        // What is left of it to catch up on was decided without this one.
        entry.backlog = null;
        const at = now();
        // Fires of the plan are at full seconds: this one never takes the place of one of them.
        const started = await actions.start(entry, at % 1000 === 0 ? at + 1 : at, 'person', actor);
        if (started instanceof WorkflowError) throw started;
        return started;
      }),
    close: () => {
      isOpen = false;
      if (timer !== null) clearTimeout(timer);
    },
  };
}
