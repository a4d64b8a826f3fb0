import { existsSync } from 'node:fs';
import { CHECKPOINT_MS, CHECKPOINT_QUIET_MS, CHECKPOINT_RECORDS } from '../../audit/checkpoint.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { failpoint } from '../../protocol/failpoint.ts';
import type { SupervisorContext } from '../context.ts';
import { openKillSpool } from '../guard/kill-spool.ts';
import { openAnchorKeeper } from './anchor-keeper.ts';
import { openSystemLog } from './system-log.ts';

/** Has the end of the audit log signed when it is due, and each checkpoint anchored after its commit. */
export interface AuditKeeper {
  /** The anchor file. */
  readonly anchorFile: string;
  /** What was wrong with the anchor at the start, in a sentence or two. */
  readonly problem: string | null;
  /** Signs and anchors what there is, then no more. Never rejects. */
  close(): Promise<void>;
}

/** Brings the anchor to where the database is, then watches the log. Call it before anything is recorded. */
export async function openAuditKeeper(
  context: SupervisorContext,
  env: NodeJS.ProcessEnv,
): Promise<AuditKeeper> {
  const { store, log } = context;
  const anchor = await openAnchorKeeper(context, env);
  const systemLog = openSystemLog(log, env);
  const timers = createTimers(() => void checkpoint());
  let signed = anchor.signedThrough;
  let running: Promise<void> | null = null;
  let isAskedAgain = false;

  const sign = async (): Promise<void> => {
    try {
      timers.clear();
      const made = await store.call('audit.checkpoint', { at: context.now() });
      if (made === null) return;
      signed = made.seq;
      // What came into the same commit behind the signature waits for the next.
      if (store.auditSeq > signed) timers.touch();
      failpoint('supervisor.checkpoint_committed');
      await anchor.follow();
      failpoint('supervisor.anchored');
      systemLog.write(made);
      // The database takes records again: those that had to wait beside it are chained now.
      if (existsSync(context.home.spoolFile)) await openKillSpool(context).drain();
    } catch (error) {
      // The next record asks again.
      log.error('the end of the audit log could not be signed', { cause: ensureError(error).message });
    }
  };

  /** One at a time; what is asked meanwhile is done once more. */
  const checkpoint = (): Promise<void> => {
    isAskedAgain = running !== null;
    running ??= sign().finally(() => {
      running = null;
      if (isAskedAgain) void checkpoint();
    });
    return running;
  };

  const stopListening = store.onAppended((isUrgent) => {
    if (isUrgent || store.auditSeq - signed >= CHECKPOINT_RECORDS) void checkpoint();
    else if (store.auditSeq > signed) timers.touch();
  });
  if (store.auditSeq > signed) timers.touch();

  return {
    anchorFile: anchor.file,
    problem: anchor.problem,
    close: async () => {
      stopListening();
      await running;
      await checkpoint();
      timers.clear();
    },
  };
}

/** Two clocks: one since the last record, one since the first that is not signed. Idle they hold nothing awake. */
function createTimers(ring: () => void): { touch(): void; clear(): void } {
  let quiet: NodeJS.Timeout | null = null;
  let latest: NodeJS.Timeout | null = null;
  return {
    touch: () => {
      if (quiet === null) quiet = setTimeout(ring, CHECKPOINT_QUIET_MS).unref();
      else quiet.refresh();
      latest ??= setTimeout(ring, CHECKPOINT_MS).unref();
    },
    clear: () => {
      if (quiet !== null) clearTimeout(quiet);
      if (latest !== null) clearTimeout(latest);
      quiet = null;
      latest = null;
    },
  };
}
