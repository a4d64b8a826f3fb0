import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import type { NotificationsDocument } from '../../protocol/supervisor-control.ts';
import type { SupervisorContext } from '../context.ts';
import type { StoreWatcher } from '../watched-store.ts';
import { createDeliver, type Deliver } from './deliver.ts';
import { isTold, notificationOf } from './notification.ts';
import { createOutbox, type Outbox } from './outbox.ts';
import { readOutbox, writeOutbox } from './outbox-file.ts';
import { readTargets, type Targets } from './targets.ts';

/**
 * Tells people what happened. It follows the audit log from a number that is kept on disk with what is still to be
 * delivered: what is recorded is told, also after a crash, at the latest by the next supervisor. Nothing waits for it.
 */
export interface Notifier {
  readonly watcher: StoreWatcher;
  /** Takes up what an earlier supervisor left. Never rejects. */
  start(): Promise<void>;
  /** Reads the configuration anew. */
  reload(): void;
  document(): NotificationsDocument;
  readonly problem: string | null;
  close(): Promise<void>;
}

export type NotificationOutcome = 'delivered' | 'failed' | 'dropped';

/** News is told; what is older when we come to it is history. */
const MAX_AGE_MS = 3_600_000;
const PAGE = 500;
/** Keeps the way short that is read again after a crash. */
const KEEP_MS = 300_000;

export function createNotifier(
  context: SupervisorContext,
  env: NodeJS.ProcessEnv,
  counted: (outcome: NotificationOutcome) => void,
  deliver: Deliver = createDeliver(context.home.secretsFolder, env),
): Notifier {
  const { store, log, now } = context;
  const file = context.home.notificationsFile;
  const counts = { delivered: 0, failed: 0 };
  let configured: Targets = { targets: [], problem: null };
  let outbox: Outbox | null = null;
  let logId = '';
  let cursor = 0;
  let keptCursor = -1;
  /** Writes with something to tell that have no answer yet. */
  let inFlight = 0;
  let isDirty = false;
  let reading: Promise<void> | null = null;
  let writing: Promise<void> | null = null;
  let isStale = false;

  const audit = (type: string, data: AuditEntry['data']): void => {
    const entry: AuditEntry = { type, at: now(), actor: SUPERVISOR, instance: null, data };
    store.call('audit.append', { entries: [entry] }).catch((error: unknown) =>
      log.error('what became of notifications could not be recorded', {
        cause: ensureError(error).message,
        ...data,
      }),
    );
  };

  /** False when it could not. */
  const write = async (): Promise<boolean> => {
    while (isStale && outbox !== null) {
      isStale = false;
      keptCursor = cursor;
      try {
        await writeOutbox(file, { log: logId, cursor, pending: outbox.pending });
      } catch (error) {
        log.error('what is to be told could not be kept: after a crash some of it is told again, or not', {
          cause: ensureError(error).message,
        });
        return false;
      }
    }
    return true;
  };
  const keep = (): void => {
    isStale = true;
    writing ??= write().then((isWritten) => {
      writing = null;
      // It may have become stale again between its last look and now.
      if (isWritten && isStale) keep();
    });
  };

  /** Everything up to the end of the log is known to be told, or to be nothing to tell. */
  const skipToEnd = (): void => {
    if (inFlight === 0 && !isDirty && reading === null) cursor = Math.max(cursor, store.auditSeq);
  };

  const read = async (): Promise<void> => {
    while (isDirty && outbox !== null) {
      isDirty = false;
      const through = store.auditSeq;
      const page = await store.call('audit.read', {
        order: 'oldest',
        from: cursor,
        limit: PAGE,
        since: now() - MAX_AGE_MS,
        until: null,
        type: null,
        instance: null,
      });
      const found = [];
      for (const row of page.rows) {
        const notification = await notificationOf(logId, row, workflowOf);
        if (notification !== null) found.push(notification);
      }
      cursor = page.next ?? Math.max(cursor, through, page.rows.at(-1)?.seq ?? 0);
      isDirty ||= page.next !== null;
      outbox.add(found);
      keep();
    }
  };
  const look = (): Promise<void> => {
    isDirty = true;
    reading ??= read()
      .catch((error: unknown) => {
        log.error('the audit log could not be followed for notifications', {
          cause: ensureError(error).message,
        });
      })
      .finally(() => {
        reading = null;
      });
    return reading;
  };
  const workflowOf = async (id: string): Promise<string | null> =>
    (await store.call('instance.get', { id }))?.workflow ?? null;

  /** With a mistake in the configuration, those of before go on. */
  const configure = (): void => {
    const { targets, problem } = readTargets(env);
    configured = { targets: problem === null ? targets : configured.targets, problem };
    if (problem !== null)
      log.error('who is notified is not changed: the configuration is not valid', { problem });
  };

  const timer = setInterval(() => {
    skipToEnd();
    if (cursor !== keptCursor && configured.targets.length > 0) keep();
  }, KEEP_MS);
  timer.unref();

  return {
    watcher: (records) => {
      if (outbox === null || configured.targets.length === 0) return null;
      if (!records.some(({ type }) => isTold(type))) return null;
      skipToEnd();
      inFlight += 1;
      return (written) => {
        inFlight -= 1;
        if (written !== null && written.length > 0) void look();
      };
    },
    start: async () => {
      try {
        logId = (await store.call('audit.about', {})).log;
        const kept = readOutbox(file);
        const isOurs = kept !== null && kept.log === logId;
        configure();
        cursor = isOurs && configured.targets.length > 0 ? kept.cursor : store.auditSeq;
        outbox = createOutbox(isOurs ? kept.pending : [], {
          deliver,
          now,
          random: Math.random,
          changed: keep,
          delivered: () => {
            counts.delivered += 1;
            counted('delivered');
          },
          failed: ({ target, notification, attempts }, why) => {
            counts.failed += 1;
            counted('failed');
            const { id, event, instance } = notification;
            log.error('a notification could not be delivered', { target, event, attempts, why });
            audit('notification.failed', { target, event, record: id, run: instance, attempts, why });
          },
          dropped: (deliveries) => {
            counts.failed += deliveries.length;
            for (const _ of deliveries) counted('dropped');
            const names = [...new Set(deliveries.map(({ target }) => target))];
            log.error('notifications were dropped: too many wait', { count: deliveries.length });
            audit('notification.dropped', { count: deliveries.length, targets: names });
          },
        });
        // What an earlier one left waits until the mistake is mended.
        if (configured.problem !== null) return;
        outbox.setTargets(configured.targets);
        if (configured.targets.length > 0) await look();
      } catch (error) {
        log.error('nobody is notified', { cause: ensureError(error).message });
      }
    },
    reload: () => {
      const had = configured.targets.length > 0;
      configure();
      // Whom nobody tells any more, and since when, must not be a matter of a file alone.
      const targets = configured.targets.map(({ name }) => name);
      audit('notification.configured', { targets, problem: configured.problem });
      if (configured.problem !== null) return;
      if (!had) cursor = store.auditSeq;
      outbox?.setTargets(configured.targets);
    },
    document: () => ({
      targets: configured.targets.map(({ name }) => name),
      pending: outbox?.pending.length ?? 0,
      ...counts,
    }),
    get problem() {
      return configured.problem;
    },
    close: async () => {
      clearInterval(timer);
      await outbox?.close();
      skipToEnd();
      if (configured.targets.length > 0) keep();
      await writing;
      outbox = null;
    },
  };
}
