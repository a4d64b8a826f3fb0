import { type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureError, ensureWorkflowError } from '../../errors/workflow-error.ts';
import type { SupervisorTurn } from '../../store/audit-reader.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { openKillSpool } from '../guard/kill-spool.ts';
import { policyEnvironment } from '../guard/policy-environment.ts';
import type { Fleet } from './fleet.ts';
import { recordLateExit } from './late-exit.ts';
import type { LiveInstance } from './live-instance.ts';
import { readLives } from './read-live.ts';

/** More instances than this that have not ended are not expected on one machine. */
const MAX_LIVE = 100_000;
/** So many are read at once: a hundred that waited for one another's answers took 0.3 s. */
const AHEAD = 32;

/**
 * Takes over what an earlier supervisor left: live instances are adopted, dead ones resumed, queued ones queued. A run
 * that cannot be read is ended.
 * Call it before instances may connect: one that says hello while it is not known yet would be fenced, and would end.
 */
export async function recover(context: SupervisorContext, fleet: Fleet): Promise<void> {
  const rows = await context.store.call('instance.live', { limit: MAX_LIVE });
  const before = await context.store.call('audit.last_turn', {});
  await append(context, 'supervisor.started', {
    pid: process.pid,
    version: context.version,
    isolation: context.isolation.report,
    environment: policyEnvironment(),
    live_instances: rows.length,
  });
  await openKillSpool(context).drain();
  await recordCrash(context, before, rows.length);
  for (const [row, live] of readAhead(context, rows))
    try {
      await fleet.recover(await live);
    } catch (error) {
      const reason = ensureWorkflowError(error);
      if (reason.isRetryable) throw error;
      await giveUp(context, row, reason);
    }
}

/** Each with its reading, those of the next ones begun before these are taken up. */
function* readAhead(
  { store }: SupervisorContext,
  rows: readonly InstanceRow[],
): Generator<[InstanceRow, Promise<LiveInstance>]> {
  let next = readLives(store, rows.slice(0, AHEAD));
  for (let from = 0; from < rows.length; from += AHEAD) {
    const begun = next;
    next = readLives(store, rows.slice(from + AHEAD, from + 2 * AHEAD));
    for (const [index, live] of begun.entries()) {
      const row = rows[from + index];
      if (row !== undefined) yield [row, live];
    }
  }
}

/** The one before us came and never left: what it had begun is taken up, open intents become `step.interrupted`. */
async function recordCrash(
  context: SupervisorContext,
  before: SupervisorTurn | null,
  instances: number,
): Promise<void> {
  if (before?.type !== 'supervisor.started') return;
  // Its farewell may have been in the spool.
  const last = await context.store.call('audit.last_turn', {});
  if (last?.type === 'supervisor.stopped') return;
  await append(context, 'supervisor.recovered', {
    previous: { record: before.seq, pid: before.pid },
    live_instances: instances,
  });
}

async function append(
  { store, now }: SupervisorContext,
  type: string,
  data: Readonly<Record<string, unknown>>,
): Promise<void> {
  const entry: AuditEntry = { type, at: now(), actor: SUPERVISOR, instance: null, data };
  await store.call('audit.append', { entries: [entry] });
}

/** Ends a run that cannot be taken up: it must not keep the others from going on, at every start again. */
async function giveUp({ store, log, now }: SupervisorContext, row: InstanceRow, cause: Error): Promise<void> {
  const reason = `the journal of this run cannot be taken up: ${cause.message}`;
  log.error('an instance could not be taken over, its run is ended', {
    instance: row.id,
    cause: cause.message,
  });
  await store.call('journal.close', {
    id: row.id,
    incarnation: row.incarnation,
    events: [{ type: 'run.ended', status: 'failed', reason, error: { code: 'INTERNAL', message: reason } }],
    at: now(),
  });
}

/**
 * Ends and removes the scopes that no live instance has: of runs that ended, or whose process was gone before the
 * supervisor was. One that cannot be removed does not keep the supervisor from starting.
 */
export async function sweep(context: SupervisorContext, fleet: Pick<Fleet, 'all'>): Promise<void> {
  for (const record of context.isolation.listScopes()) {
    // Looked at anew each time: what was queued may have its process by now.
    if (fleet.all().some(({ scope }) => scope?.record.name === record.name)) continue;
    try {
      const scope = context.isolation.reopenScope(record);
      if (scope === null) continue;
      const report = await scope.kill({ graceMs: 0, timeoutMs: 5000 });
      await recordLateExit(context, scope);
      await scope.remove();
      context.log.warn('a leftover scope was ended', { scope: record.name, processes: report.foundCount });
    } catch (error) {
      context.log.error('a leftover scope could not be removed', {
        scope: record.name,
        cause: ensureError(error).message,
      });
    }
  }
}
