import type { AuditActor } from '../../audit/record.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { wholeRun } from '../../guard/kill/kill-scope.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import { instanceFolder } from '../../protocol/home.ts';
import type { Bootstrap } from '../../protocol/instance-link.ts';
import type { Arguments } from '../../store/operations.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { type Capacity, createLedger, type Ledger } from '../admission/capacity.ts';
import { demandOf } from '../admission/capacity-plan.ts';
import type { SupervisorContext } from '../context.ts';
import { decidedNumbers } from '../guard/approval-list.ts';
import { withValues } from '../intake/blob-values.ts';
import { later } from '../later.ts';
import { clearScratch } from '../sandboxes/scratch-sweep.ts';
import { createCloser } from './closer.ts';
import { askedEnd, createEnds, type Ends, hasProcess } from './ends.ts';
import { createIncarnations } from './incarnation.ts';
import { isPaused, type LiveInstance, notify, setStatus } from './live-instance.ts';
import { createObservers } from './observers.ts';
import { sendTrip } from './part-ends.ts';
import { createPauses } from './pauses.ts';
import { readLive } from './read-live.ts';
import { statusDocument } from './status-document.ts';
import { createWaits } from './waits.ts';

/** All instances that have not ended, and the moves between queued, running and waiting. */
export interface Fleet extends Ends {
  readonly ledger: Ledger;
  find(id: string): LiveInstance | null;
  all(): LiveInstance[];
  /** Commits a new instance and queues it. Resolves when it is durable; it may run later. */
  create(run: Omit<Arguments<'instance.create'>, 'at'>): Promise<LiveInstance>;
  /** Takes in an instance of the database that has not ended, after a restart. Nothing starts until `expectAdopted`. */
  recover(live: LiveInstance): Promise<void>;
  /** All are taken in, and heard from now on: the queue goes on, adopted ones have a time to come back. */
  expectAdopted(): void;
  /** Adopted ones that have not come back yet. */
  readonly awaited: number;
  /** Opens an ended instance again, from the failed steps or from a step, with its own definition or another. */
  reopen(row: InstanceRow, request: Omit<Arguments<'instance.requeue'>, 'id' | 'at'>): Promise<LiveInstance>;
  pause(live: LiveInstance, actor: AuditActor): Promise<void>;
  unpause(live: LiveInstance, actor: AuditActor): Promise<void>;
  /** Starts nothing while there is a reason, which the queue shows; null lets it go on. */
  block(reason: string | null): void;
  connected(live: LiveInstance): void;
  /** A person has decided an approval of the run. */
  released(live: LiveInstance, approval: number): void;
  /** The wall clock jumped, or the machine slept. */
  clockJumped(): void;
  /** The end of its run is committed: its process has a moment to leave by itself. */
  ended(live: LiveInstance): void;
  rejected(live: LiveInstance, reason: string): void;
  /**
   * From now on `create` and `reopen` are refused with SHUTTING_DOWN and nothing starts from the queue. Resolves when
   * what was being taken in is among `all`.
   */
  refuseMore(): Promise<void>;
  /** Starts nothing more and watches nothing more; what runs is left running. */
  close(): void;
}

/** From the commit of the end of a run until its process is killed. */
const EXIT_DEADLINE_MS = 5_000;

export function createFleet(context: SupervisorContext, capacity: Capacity): Fleet {
  const { store, log } = context;
  const ledger = createLedger(capacity);
  const lives = new Map<string, LiveInstance>();
  const plans = new Map<string, Bootstrap['cause']>();
  const observers = createObservers(
    context,
    () => lives.values(),
    (live, request) => void incarnations.endSoon(live, request),
  );
  const arriving = new Set<Promise<LiveInstance>>();
  let isRefusing = false;
  /** What runs has its room already, also what is not known yet. */
  let isTakingOver = false;
  let isClosed = false;

  const incarnations = createIncarnations(context, {
    over: (live, verdict) => {
      ledger.release(live.row.id);
      const asked = askedEnd(live);
      if (verdict.kind === 'ended' || verdict.kind === 'close') finish(live);
      else if (asked !== null) closer.closeLater(live, asked.status, asked.by);
      else if (verdict.kind === 'waiting') waits.begin(live);
      else {
        log.warn('an instance process ended unexpectedly, it is resumed', {
          instance: live.row.id,
          exit: live.exit,
        });
        later(live, verdict.delayMs, () => enqueue(live, 'crash'));
      }
      admit();
    },
  });

  const admit = (): void => {
    if (isRefusing || isTakingOver) return;
    for (const { id } of ledger.admit()) {
      const live = lives.get(id);
      const plan = plans.get(id);
      plans.delete(id);
      const held = live === undefined ? null : context.killSwitch.heldBy(wholeRun(live.row));
      if (live === undefined || plan === undefined) ledger.release(id);
      else if (held !== null) {
        ledger.release(id);
        closer.closeLater(live, 'kill_switch', `${held}, refused at its start`);
      } else {
        void incarnations.start(live, plan);
        observers.wake();
      }
    }
  };

  const enqueue = (live: LiveInstance, cause: Bootstrap['cause']): void => {
    if (isClosed) return;
    const { id } = live.row;
    plans.set(id, cause);
    if (isPaused(live)) {
      void pauses.settle(live);
      return;
    }
    ledger.enqueue(demandOf(live.row));
    admit();
    const waitsFor = ledger.waitsFor(id);
    if (waitsFor !== null) setStatus(live, 'queued', `waits for ${waitsFor}`);
  };

  const waits = createWaits(
    context,
    () => pauses,
    (live) => enqueue(live, 'wait_over'),
  );

  const pauses = createPauses(context, (live) => {
    if (live.row.status === 'waiting') waits.begin(live);
    else enqueue(live, plans.get(live.row.id) ?? 'crash');
  });

  const finish = (live: LiveInstance): void => {
    lives.delete(live.row.id);
    const cleared = clearScratch(context, live.row.id);
    const document = statusDocument(live.row, live.projection, null);
    // Never rejects.
    const values = withValues(instanceFolder(context.home, live.row.id), document);
    void Promise.all([values, cleared]).then(([params]) => {
      notify(live, { method: 'instance.ended', params });
      live.watchers.clear();
    });
  };

  const closer = createCloser(context, {
    withdraw: (live) => {
      const { id } = live.row;
      const plan = plans.get(id);
      plans.delete(id);
      ledger.release(id);
      return () => {
        if (live.status === 'waiting') waits.begin(live);
        else enqueue(live, plan ?? 'crash');
      };
    },
    finished: (live) => {
      finish(live);
      admit();
    },
  });

  const ends = createEnds(context, {
    incarnations,
    closer,
    pauses,
    isKnown: (live) => lives.get(live.row.id) === live,
  });

  const open = async (id: string): Promise<LiveInstance> => {
    const live = await readLive(store, id);
    lives.set(id, live);
    return live;
  };

  const assertArmed = (row: { readonly id: string; readonly workflow: string }): void =>
    context.killSwitch.assertArmed(wholeRun(row));

  const arrive = (take: () => Promise<LiveInstance>): Promise<LiveInstance> => {
    if (isRefusing)
      return Promise.reject(
        new WorkflowError('SHUTTING_DOWN', 'the supervisor is stopping and takes no new runs'),
      );
    const taken = take().finally(() => arriving.delete(taken));
    arriving.add(taken);
    return taken;
  };

  return {
    ledger,
    find: (id) => lives.get(id) ?? null,
    all: () => [...lives.values()],
    create: (run) =>
      arrive(async () => {
        assertArmed(run.instance);
        await store.call('instance.create', { ...run, at: context.now() });
        failpoint('supervisor.created');
        const live = await open(run.instance.id);
        enqueue(live, 'start');
        return live;
      }),
    recover: async (live) => {
      const { row } = live;
      isTakingOver = true;
      lives.set(row.id, live);
      if (row.status === 'waiting' && row.process === null) waits.begin(live);
      // Queued = no process was started for it since; one that was is `initializing` at least.
      else if (row.status === 'queued') enqueue(live, row.incarnation === 0 ? 'start' : 'requested');
      else {
        try {
          incarnations.adopt(live);
        } catch (error) {
          lives.delete(row.id);
          throw error;
        }
        ledger.hold(demandOf(row));
        observers.wake();
        await pauses.settle(live);
      }
    },
    expectAdopted: () => {
      incarnations.expectAdopted();
      isTakingOver = false;
      admit();
    },
    get awaited() {
      return incarnations.awaited;
    },
    reopen: (row, request) =>
      arrive(async () => {
        // One that cannot be read must not be queued for ever.
        await readLive(store, row.id);
        assertArmed(row);
        await store.call('instance.requeue', { ...request, id: row.id, at: context.now() });
        failpoint('supervisor.requeued');
        const live = await open(row.id);
        enqueue(live, 'requested');
        return live;
      }),
    ...ends,
    pause: async (live, actor) => {
      if (!hasProcess(live)) ledger.release(live.row.id);
      await pauses.pause(live, actor);
      admit();
    },
    unpause: (live, actor) => pauses.unpause(live, actor),
    block: (reason) => {
      ledger.block(reason);
      admit();
    },
    connected: (live) => {
      for (const latch of context.killSwitch.list()) sendTrip(context, live, latch);
      live.hasReported = true;
      incarnations.connected(live);
      ledger.started(live.row.id);
      if (live.pendingStop !== null) live.link?.send({ type: 'stop', ...live.pendingStop });
      // What was decided while no supervisor was there, or while it came back.
      for (const approval of decidedNumbers(live.approvals)) waits.released(live, approval);
      admit();
    },
    released: (live, approval) => waits.released(live, approval),
    clockJumped: () => {
      for (const live of lives.values()) waits.clockJumped(live);
    },
    ended: (live) => {
      const { incarnation } = live;
      setTimeout(() => {
        if (lives.get(live.row.id) !== live || live.incarnation !== incarnation || live.scope === null)
          return;
        log.warn('an instance process did not leave after its run', { instance: live.row.id });
        void incarnations.endSoon(live, { kind: 'killed', by: 'supervisor' });
      }, EXIT_DEADLINE_MS).unref();
    },
    rejected: (live, reason) => {
      log.error('the events of an instance were refused', { instance: live.row.id, reason });
      live.link?.send({ type: 'fenced', reason });
      void incarnations.endSoon(live, { kind: 'start_failed', by: reason });
    },
    refuseMore: async () => {
      isRefusing = true;
      await Promise.allSettled(arriving);
    },
    close: () => {
      isRefusing = true;
      isClosed = true;
      observers.close();
      incarnations.close();
      for (const live of lives.values()) live.lifetime.abort();
    },
  };
}
