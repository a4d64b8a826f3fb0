import type { AuditActor, AuditEntry } from '../audit/record.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { failpoint } from '../protocol/failpoint.ts';
import type { Bootstrap } from '../protocol/instance-link.ts';
import type { Documents, InstanceRow, NewInstance } from '../store/operations.ts';
import { type Capacity, createLedger, type Ledger } from './capacity.ts';
import type { SupervisorContext } from './context.ts';
import { createIncarnations } from './incarnation.ts';
import { openKillSpool } from './kill-spool.ts';
import { createLiveInstance, followJournal, type LiveInstance, notify, setStatus } from './live-instance.ts';
import { statusDocument } from './status-document.ts';

/** All instances that have not ended, and the moves between queued, running and waiting. */
export interface Fleet {
  readonly ledger: Ledger;
  find(id: string): LiveInstance | null;
  all(): LiveInstance[];
  /** Commits a new instance and queues it. Resolves when it is durable; it may run later. */
  create(instance: NewInstance, documents: Documents, audit: AuditEntry): Promise<LiveInstance>;
  /** Takes in an instance of the database that has not ended, after a restart. */
  recover(row: InstanceRow): Promise<void>;
  /** Opens an ended instance again, from the failed steps or from a step. */
  reopen(row: InstanceRow, from: string | null, audit: AuditEntry): Promise<LiveInstance>;
  /** Ends a run in good order; after a deadline its tree is killed. Resolves when the request is on its way. */
  stop(live: LiveInstance, actor: AuditActor): Promise<void>;
  kill(live: LiveInstance, actor: AuditActor): Promise<void>;
  connected(live: LiveInstance): void;
  /** The end of its run is committed: its process has a moment to leave by itself. */
  ended(live: LiveInstance): void;
  rejected(live: LiveInstance, reason: string): void;
  /** Starts nothing more and watches nothing more; what runs is left running. */
  close(): void;
}

/** A stopping instance has this long to end its steps and itself. */
const STOP_DEADLINE_MS = 20_000;
/** From the commit of the end of a run until its process is killed. */
const EXIT_DEADLINE_MS = 5_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

export function createFleet(context: SupervisorContext, capacity: Capacity): Fleet {
  const { store, log } = context;
  const spool = openKillSpool(context);
  const ledger = createLedger(capacity);
  const lives = new Map<string, LiveInstance>();
  const plans = new Map<string, Bootstrap['cause']>();
  let isClosed = false;

  const incarnations = createIncarnations(context, {
    over: (live, verdict) => {
      ledger.release(live.row.id);
      switch (verdict.kind) {
        case 'ended':
        case 'close':
          finish(live);
          break;
        case 'waiting':
          if (live.pendingStop !== null) stopNow(live, live.pendingStop.by);
          else wakeLater(live);
          break;
        case 'resume':
          log.warn('an instance process ended unexpectedly, it is resumed', {
            instance: live.row.id,
            exit: live.exit,
          });
          if (live.pendingStop !== null) stopNow(live, live.pendingStop.by);
          else later(live, verdict.delayMs, () => enqueue(live, 'crash'));
          break;
      }
      admit();
    },
  });

  const admit = (): void => {
    if (isClosed) return;
    for (const { id } of ledger.admit()) {
      const live = lives.get(id);
      const plan = plans.get(id);
      plans.delete(id);
      if (live === undefined || plan === undefined) ledger.release(id);
      else void incarnations.start(live, plan);
    }
  };

  const enqueue = (live: LiveInstance, cause: Bootstrap['cause']): void => {
    if (isClosed) return;
    const { id, limits } = live.row;
    plans.set(id, cause);
    ledger.enqueue({ id, memoryBytes: limits.memoryBytes });
    admit();
    const place = ledger.queue().find((entry) => entry.id === id);
    if (place !== undefined) setStatus(live, 'queued', `waits for ${place.waits_for}`);
  };

  const later = (live: LiveInstance, delayMs: number, act: () => void): void => {
    if (delayMs <= 0) {
      act();
      return;
    }
    live.lifetime = new AbortController();
    const timer = setTimeout(act, Math.min(MAX_TIMER_MS, delayMs));
    timer.unref();
    live.lifetime.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };

  const wakeLater = (live: LiveInstance): void => {
    setStatus(live, 'waiting', null);
    const delayMs = (live.row.wakeAt ?? 0) - context.now();
    // A timer holds 24 days at most: look again then.
    later(live, delayMs, () => {
      if ((live.row.wakeAt ?? 0) > context.now()) wakeLater(live);
      else enqueue(live, 'wait_over');
    });
  };

  const finish = (live: LiveInstance): void => {
    lives.delete(live.row.id);
    notify(live, { method: 'instance.ended', params: statusDocument(live.row, live.projection, null) });
    live.watchers.clear();
  };

  /** Ends a queued or waiting instance: there is no process that could write the end itself. Calls join the first. */
  const closeWithoutProcess = (
    live: LiveInstance,
    status: 'stopped' | 'killed',
    by: string,
  ): Promise<void> => {
    live.closing ??= writeEnd(live, status, by).finally(() => {
      live.closing = null;
    });
    return live.closing;
  };

  const writeEnd = async (live: LiveInstance, status: 'stopped' | 'killed', by: string): Promise<void> => {
    const { id } = live.row;
    const plan = plans.get(id);
    live.lifetime.abort();
    plans.delete(id);
    ledger.release(id);
    const code = status === 'stopped' ? 'STOPPED' : 'KILLED';
    const reason = `${status} by ${by}`;
    try {
      const { entries } = await store.call('journal.close', {
        id,
        incarnation: live.incarnation,
        events: [{ type: 'run.ended', status, reason, error: { code, message: `The run was ${reason}.` } }],
        at: context.now(),
      });
      for (const entry of entries) followJournal(live, entry);
      live.row = (await store.call('instance.get', { id })) ?? live.row;
    } catch (error) {
      // Not ended then: it waits for what it waited for before.
      if (live.status === 'waiting') wakeLater(live);
      else enqueue(live, plan ?? 'crash');
      throw error;
    }
    finish(live);
    admit();
  };

  /** A stop was asked for while the process was leaving: there is none any more that could obey. */
  const stopNow = (live: LiveInstance, by: string): void => {
    closeWithoutProcess(live, 'stopped', by).catch((error: unknown) => {
      log.error('the stop of an instance could not be recorded', {
        instance: live.row.id,
        cause: String(error),
      });
    });
  };

  const hasProcess = (live: LiveInstance): boolean => live.scope !== null;

  const open = async (id: string): Promise<LiveInstance> => {
    const row = await store.call('instance.get', { id });
    if (row === null) throw new WorkflowError('INTERNAL', `instance ${id} was not kept`);
    const live = createLiveInstance(
      row,
      row.lastSeq === 0 ? [] : await store.call('journal.read', { id, afterSeq: 0 }),
    );
    lives.set(id, live);
    return live;
  };

  return {
    ledger,
    find: (id) => lives.get(id) ?? null,
    all: () => [...lives.values()],
    create: async (instance, documents, audit) => {
      if (isClosed) throw new WorkflowError('SHUTTING_DOWN', 'the supervisor is stopping');
      await store.call('instance.create', { instance, documents, at: context.now(), audit });
      failpoint('supervisor.created');
      const live = await open(instance.id);
      enqueue(live, 'start');
      return live;
    },
    recover: async (row) => {
      const live = await open(row.id);
      if (row.status === 'waiting' && row.process === null) wakeLater(live);
      // Queued = no process was started for it since; one that was is `initializing` at least.
      else if (row.status === 'queued') enqueue(live, row.incarnation === 0 ? 'start' : 'requested');
      else {
        ledger.hold({ id: row.id, memoryBytes: row.limits.memoryBytes });
        incarnations.adopt(live);
      }
    },
    reopen: async (row, from, audit) => {
      await store.call('instance.requeue', { id: row.id, from, at: context.now(), audit });
      failpoint('supervisor.requeued');
      const live = await open(row.id);
      enqueue(live, 'requested');
      return live;
    },
    stop: async (live, actor) => {
      const by = `${actor.kind} ${actor.id}`;
      if (!hasProcess(live)) return closeWithoutProcess(live, 'stopped', by);
      live.pendingStop = { by };
      live.link?.send({ type: 'stop', kind: 'stop', by });
      setTimeout(() => {
        if (lives.get(live.row.id) === live && hasProcess(live))
          void incarnations.end(live, { kind: 'killed', by });
      }, STOP_DEADLINE_MS).unref();
      await spool.record(requested(live, 'instance.stop_requested', actor));
    },
    kill: async (live, actor) => {
      const by = `${actor.kind} ${actor.id}`;
      if (!hasProcess(live)) return closeWithoutProcess(live, 'killed', by);
      // The kill does not wait for its record.
      const killed = incarnations.end(live, { kind: 'killed', by });
      await spool.record(requested(live, 'instance.kill_requested', actor));
      await killed;
    },
    connected: (live) => {
      live.hasReported = true;
      ledger.started(live.row.id);
      if (live.pendingStop !== null) live.link?.send({ type: 'stop', kind: 'stop', by: live.pendingStop.by });
      admit();
    },
    ended: (live) => {
      const { incarnation } = live;
      setTimeout(() => {
        if (lives.get(live.row.id) !== live || live.incarnation !== incarnation || live.scope === null)
          return;
        log.warn('an instance process did not leave after its run', { instance: live.row.id });
        void incarnations.end(live, { kind: 'killed', by: 'supervisor' });
      }, EXIT_DEADLINE_MS).unref();
    },
    rejected: (live, reason) => {
      log.error('the events of an instance were refused', { instance: live.row.id, reason });
      live.link?.send({ type: 'fenced', reason });
      void incarnations.end(live, { kind: 'start_failed', by: reason });
    },
    close: () => {
      isClosed = true;
      incarnations.close();
      for (const live of lives.values()) live.lifetime.abort();
    },
  };

  function requested(live: LiveInstance, type: string, actor: AuditActor): AuditEntry {
    return { type, at: context.now(), actor, instance: live.row.id, data: {} };
  }
}
