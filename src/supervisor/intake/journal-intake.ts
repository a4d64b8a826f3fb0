import { type AuditActor, eventRecord } from '../../audit/record.ts';
import type { JournalEntry } from '../../engine/events.ts';
import type { ErrorCode } from '../../errors/table.ts';
import { ensureWorkflowError } from '../../errors/workflow-error.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import { instanceFolder } from '../../protocol/home.ts';
import type { SupervisorContext } from '../context.ts';
import { tripFor, tripUnrecorded } from '../guard/auto-trips.ts';
import { followJournal, type LiveInstance } from '../lifecycle/live-instance.ts';
import { checkBlob } from './blob-check.ts';
import { type Judged, openPermitDesk, type PermitMessage } from './permit-desk.ts';

type Written = Pick<Judged, 'answers'> & { readonly lastSeq: number };

/** How long to wait before a commit is tried again that failed for a reason that may pass (disk full). */
export const RETRY_MS = 1000;
/** So often in vain, and agents do no more what nobody can record. */
const TRIES_BEFORE_TRIP = 30;
/** A person has to mend these, and can: the run waits, as it does on a full disk. */
export const STORE_TROUBLE: readonly ErrorCode[] = ['HOME_UNWRITABLE', 'STORE_CORRUPT'];

/** The events and permit requests of one incarnation on their way into the database. */
export interface JournalIntake {
  events(entries: readonly JournalEntry[]): void;
  permit(message: PermitMessage): void;
  /** Resolves when everything taken in so far is committed or given up. */
  drained(): Promise<void>;
}

export interface IntakeHandlers {
  /** The end of the run is committed: the process has nothing left to do. */
  ended(): void;
  /** The commit cannot succeed (a newer incarnation, a gap): the process must end. */
  rejected(reason: string): void;
}

/**
 * `before` resolves when nothing of an earlier connection is under way: its permits count against those of this one.
 * One append is in the writer at a time; what arrives meanwhile goes with the next. So the order holds even when a
 * commit fails and is tried again, and a busy instance batches by itself. Acks and permits are sent after the commit.
 */
export function openIntake(
  context: SupervisorContext,
  live: LiveInstance,
  handlers: IntakeHandlers,
  before: Promise<void> = Promise.resolve(),
): JournalIntake {
  const { incarnation } = live;
  const folder = instanceFolder(context.home, live.row.id);
  const desk = openPermitDesk(context, live);
  const actor: AuditActor = { kind: 'instance', id: `${live.row.id}#${incarnation}`, uid: null };
  let entries: JournalEntry[] = [];
  let permits: PermitMessage[] = [];
  let running: Promise<void> | null = null;
  let isClosed = false;

  const commit = async (): Promise<void> => {
    while ((entries.length > 0 || permits.length > 0) && !isClosed) {
      // What was sent again, and had been committed, has been counted.
      const batch = entries.filter(({ seq }) => seq > live.lastSeq);
      const asked = permits;
      entries = [];
      permits = [];
      const written = await untilWritten(batch, asked);
      if (written === null) return;
      for (const entry of batch) {
        followJournal(live, entry);
        tripFor(context, live, entry.event);
      }
      live.link?.send(
        { type: 'ack', seq: written.lastSeq },
        ...written.answers.map(
          ({ message, permit }) => ({ type: 'permit', id: message.id, permit }) as const,
        ),
      );
      if (batch.some((entry) => entry.event.type === 'run.ended')) handlers.ended();
    }
  };

  const write = async (batch: readonly JournalEntry[], asked: readonly PermitMessage[]): Promise<Written> => {
    const { answers, audits, approvals, committed } = await desk.judge(batch, asked);
    for (const entry of batch) await checkBlob(folder, entry);
    failpoint('supervisor.before_commit');
    const { lastSeq } = await context.store.call('journal.append', {
      id: live.row.id,
      incarnation,
      entries: batch,
      audits: [...batch.map((entry) => eventRecord(live.row.id, entry.at, entry.event, actor)), ...audits],
      approvals,
    });
    failpoint('supervisor.after_commit');
    committed();
    return { lastSeq, answers };
  };

  /** Null when it can never be written, or not by us. */
  const untilWritten = async (
    batch: readonly JournalEntry[],
    asked: readonly PermitMessage[],
  ): Promise<Written | null> => {
    for (let tries = 1; ; tries += 1) {
      try {
        return await write(batch, asked);
      } catch (error) {
        const known = ensureWorkflowError(error);
        if (known.code === 'SHUTTING_DOWN') {
          // The instance goes on without us and sends it again to the next supervisor.
          isClosed = true;
          return null;
        }
        if (!known.isRetryable && !STORE_TROUBLE.includes(known.code)) {
          giveUp(known);
          return null;
        }
        context.log.error(`cannot write the journal, trying again in ${RETRY_MS / 1000} s`, {
          instance: live.row.id,
          cause: known.message,
        });
        if (tries === TRIES_BEFORE_TRIP)
          tripUnrecorded(context, live, (TRIES_BEFORE_TRIP * RETRY_MS) / 1000, known.message);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };

  const giveUp = (error: Error): void => {
    isClosed = true;
    handlers.rejected(error.message);
  };

  const pump = (): void => {
    // What the same piece of the connection brings (the intent and its permit) goes into the same commit.
    running ??= before
      .then(commit)
      // What the rest of us makes of an event is no reason to end the daemon either.
      .catch((error: unknown) => giveUp(ensureWorkflowError(error)))
      .finally(() => {
        running = null;
        if (!isClosed && (entries.length > 0 || permits.length > 0)) pump();
      });
  };

  return {
    events: (received) => {
      entries.push(...received);
      pump();
    },
    permit: (message) => {
      permits.push(message);
      pump();
    },
    drained: async () => {
      while (running !== null) await running;
    },
  };
}
