import { type AuditActor, type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { type KillScope, type KillSubject, scopesOver } from '../../guard/kill/kill-scope.ts';
import {
  firstTripped,
  isTripped,
  type Latch,
  listLatches,
  removeLatch,
  writeLatch,
} from '../../guard/kill/latch-files.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import type { SupervisorGround } from '../ground.ts';
import type { KillSpool } from './kill-spool.ts';
import { watchLatches } from './latch-watch.ts';

/** The tripped switches of this home: rows of the database and plain files; either is enough. */
export interface KillSwitch {
  readonly epoch: number;
  /** The widest tripped scope that covers a subject, or null. */
  readonly heldBy: (subject: KillSubject) => KillScope | null;
  /** Throws KILL_SWITCH when the subject is held. */
  assertArmed(subject: KillSubject): void;
  /**
   * Latches: refused from this very turn on, then durable as a file. Its record does not hold it up; `recorded` is done
   * when that is committed or spooled. False when it was tripped before.
   */
  latch(latch: Latch, actor: AuditActor): { readonly isNew: boolean; readonly recorded: Promise<void> };
  /** Takes a latch away, with its record. Throws NOT_TRIPPED. Resumes nothing. */
  rearm(scope: KillScope, reason: string, actor: AuditActor): Promise<void>;
  list(): readonly Latch[];
  /** Hears of switches that are tripped by their file alone. */
  onFile(listener: (latch: Latch) => void): void;
  close(): void;
}

/** Where a trip is kept that the database cannot take: what chains its record later makes its row too. */
export type KillRecords = Pick<KillSpool, 'keep' | 'drain'>;

/** `epoch` and `rows` are what the database holds at the start. Files without a row get one, rows without a file too. */
export async function openKillSwitch(context: SupervisorGround, spool: KillRecords): Promise<KillSwitch> {
  const { home, store, log } = context;
  const folder = home.killFolder;
  const stored = await store.call('kill.list', {});
  const tripped = new Map<KillScope, Latch>(stored.latches.map((latch) => [latch.scope, latch]));
  let epoch = stored.epoch;
  let listener: (latch: Latch) => void = () => undefined;
  /** Trips that neither database nor spool took: on a full disk an empty file is all that is left of them. */
  const unrecorded = new Map<Latch, AuditActor>();

  const commit = async (latch: Latch, actor: AuditActor): Promise<void> => {
    const audit: AuditEntry = {
      type: 'kill.tripped',
      at: latch.at,
      actor,
      instance: null,
      data: { scope: latch.scope, mode: latch.mode, reason: latch.reason, by: latch.by },
    };
    try {
      const { epoch: now } = await store.call('kill.trip', { latch, audit });
      epoch = Math.max(epoch, now);
    } catch (error) {
      log.error('a kill switch is latched by its file alone: the database cannot take it', {
        scope: latch.scope,
        cause: ensureError(error).message,
      });
      // Not a record alone: it would come into the log without the switch that it speaks of.
      if (!spool.keep(audit)) unrecorded.set(latch, actor);
    }
  };

  /** The database takes records again. */
  const stopListening = store.onAppended(() => {
    for (const [latch, actor] of unrecorded) {
      unrecorded.delete(latch);
      if (tripped.get(latch.scope) === latch) void commit(latch, actor);
    }
  });

  const take = (latch: Latch, actor: AuditActor): Promise<void> => {
    tripped.set(latch.scope, latch);
    epoch += 1;
    try {
      writeLatch(folder, latch);
    } catch (error) {
      log.error('the file of a kill switch cannot be written', {
        scope: latch.scope,
        cause: ensureError(error).message,
      });
    }
    failpoint('supervisor.latched');
    return commit(latch, actor);
  };

  /** What is in the folder and not known yet. */
  const lookAtFiles = (): void => {
    try {
      for (const { latch } of listLatches(folder)) {
        if (latch === null || tripped.has(latch.scope)) continue;
        void take(latch, { ...SUPERVISOR, id: `file by ${latch.by}` });
        listener(latch);
      }
    } catch (error) {
      log.error('the folder of the kill switches cannot be read', { cause: ensureError(error).message });
    }
  };

  for (const latch of stored.latches) if (!isTripped(folder, latch.scope)) writeLatch(folder, latch);
  lookAtFiles();
  // Against a file that is written while nobody asks for a permit: what runs has to be ended.
  const stopWatching = watchLatches(folder, lookAtFiles, log);

  const heldBy = (subject: KillSubject): KillScope | null => {
    const scopes = scopesOver(subject);
    const byFile = firstTripped(folder, scopes);
    return scopes.find((scope) => scope === byFile || tripped.has(scope)) ?? null;
  };

  return {
    get epoch() {
      return epoch;
    },
    heldBy,
    assertArmed: (subject) => {
      const scope = heldBy(subject);
      if (scope === null) return;
      const latch = tripped.get(scope);
      const why = latch === undefined ? '' : ` by ${latch.by}: ${latch.reason}`;
      throw new WorkflowError('KILL_SWITCH', `the kill switch ${scope} is tripped${why}`, {
        details: { scope },
      });
    },
    latch: (latch, actor) => {
      const known = tripped.get(latch.scope);
      if (known !== undefined) {
        // The file of the same trip may have been seen before the command that wrote it asks.
        const isNew = known.at === latch.at && known.by === latch.by;
        return { isNew, recorded: Promise.resolve() };
      }
      return { isNew: true, recorded: take(latch, actor) };
    },
    rearm: async (scope, reason, actor) => {
      if (!tripped.has(scope) && !isTripped(folder, scope))
        throw new WorkflowError('NOT_TRIPPED', `no kill switch "${scope}" is tripped`);
      // What still waits to be recorded came before this, and would trip it again.
      await spool.drain();
      const audit: AuditEntry = {
        type: 'kill.rearmed',
        at: context.now(),
        actor,
        instance: null,
        data: { scope, reason },
      };
      const { wasTripped, epoch: now } = await store.call('kill.rearm', { scope, audit });
      // A file that was never taken over: its end is recorded all the same.
      if (!wasTripped) await store.call('audit.append', { entries: [audit] });
      failpoint('supervisor.rearmed');
      removeLatch(folder, scope);
      tripped.delete(scope);
      epoch = Math.max(epoch + 1, now);
    },
    list: () => [...tripped.values()],
    onFile: (given) => {
      listener = given;
    },
    close: () => {
      stopListening();
      stopWatching();
    },
  };
}
