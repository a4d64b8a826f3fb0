import { hashJson } from '../audit/canonical.ts';
import { type AuditActor, type AuditEntry, eventRecord } from '../audit/record.ts';
import type { JsonObject } from '../definition/workflow.ts';
import type { JournalEntry } from '../engine/events.ts';
import { ensureWorkflowError } from '../errors/workflow-error.ts';
import { decidePermit } from '../guard/permits.ts';
import { failpoint } from '../protocol/failpoint.ts';
import { instanceFolder } from '../protocol/home.ts';
import type { InstanceMessage, Permit, PermitRequest } from '../protocol/instance-link.ts';
import { checkBlob } from './blob-check.ts';
import type { SupervisorContext } from './context.ts';
import { followJournal, type LiveInstance } from './live-instance.ts';

type PermitMessage = Extract<InstanceMessage, { type: 'permit' }>;

/** How long to wait before a commit is tried again that failed for a reason that may pass (disk full). */
const RETRY_MS = 1000;

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
 * One append is in the writer at a time; what arrives meanwhile goes with the next. So the order holds even when a
 * commit fails and is tried again, and a busy instance batches by itself. Acks and permits are sent after the commit.
 */
export function openIntake(
  context: SupervisorContext,
  live: LiveInstance,
  handlers: IntakeHandlers,
): JournalIntake {
  const { incarnation } = live;
  const folder = instanceFolder(context.home, live.row.id);
  const actor: AuditActor = { kind: 'instance', id: `${live.row.id}#${incarnation}`, uid: null };
  let entries: JournalEntry[] = [];
  let permits: PermitMessage[] = [];
  let running: Promise<void> | null = null;
  let isClosed = false;

  const commit = async (): Promise<void> => {
    while ((entries.length > 0 || permits.length > 0) && !isClosed) {
      const batch = entries;
      const asked = permits;
      entries = [];
      permits = [];
      const decisions = await Promise.all(
        asked.map(async (message) => ({
          message,
          permit: decidePermit(message.request, hashJson(await inputsOf(message.request, batch))),
        })),
      );
      const audits: AuditEntry[] = [
        ...batch.map((entry) => eventRecord(live.row.id, entry.at, entry.event, actor)),
        ...decisions.map((decision) => permitRecord(live.row.id, context.now(), decision)),
      ];
      failpoint('supervisor.before_commit');
      const lastSeq = await append(batch, audits);
      failpoint('supervisor.after_commit');
      if (lastSeq === null) return;
      for (const entry of batch) followJournal(live, entry);
      live.link?.send({ type: 'ack', seq: lastSeq });
      if (batch.some((entry) => entry.event.type === 'run.ended')) handlers.ended();
      for (const { message, permit } of decisions)
        live.link?.send({ type: 'permit', id: message.id, permit });
    }
  };

  /** The inputs of the intent that a permit is for: in the same batch, or, when it is asked again, in the journal. */
  const inputsOf = async (request: PermitRequest, batch: readonly JournalEntry[]): Promise<JsonObject> => {
    const matches = ({ event }: JournalEntry): boolean =>
      event.type === 'step.started' && event.path === request.path && event.attempt === request.attempt;
    const entry =
      batch.findLast(matches) ??
      (await context.store.call('journal.read', { id: live.row.id, afterSeq: 0 })).findLast(matches);
    return entry?.event.type === 'step.started' ? (entry.event.inputs ?? {}) : {};
  };

  const append = async (
    batch: readonly JournalEntry[],
    audits: readonly AuditEntry[],
  ): Promise<number | null> => {
    for (;;) {
      try {
        for (const entry of batch) await checkBlob(folder, entry);
        const answer = await context.store.call('journal.append', {
          id: live.row.id,
          incarnation,
          entries: batch,
          audits,
        });
        return answer.lastSeq;
      } catch (error) {
        const known = ensureWorkflowError(error);
        if (known.code === 'SHUTTING_DOWN') {
          // The instance goes on without us and sends it again to the next supervisor.
          isClosed = true;
          return null;
        }
        if (!known.isRetryable) {
          isClosed = true;
          handlers.rejected(known.message);
          return null;
        }
        context.log.error(`cannot write the journal, trying again in ${RETRY_MS / 1000} s`, {
          instance: live.row.id,
          cause: known.message,
        });
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  };

  const pump = (): void => {
    // What the same piece of the connection brings (the intent and its permit) goes into the same commit.
    running ??= Promise.resolve()
      .then(commit)
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

function permitRecord(
  instance: string,
  at: number,
  { message, permit }: { message: PermitMessage; permit: Permit },
): AuditEntry {
  const { request } = message;
  return {
    type: 'permit.decided',
    at,
    actor: { kind: 'supervisor', id: 'supervisor', uid: process.getuid?.() ?? null },
    instance,
    data: {
      kind: request.kind,
      path: request.path,
      attempt: request.attempt,
      subject: request.subject,
      args_hash: permit.inputsHash,
      decision: permit.decision,
      rules: permit.rules,
      policy_hash: permit.policyHash,
      epoch: permit.epoch,
    },
  };
}
