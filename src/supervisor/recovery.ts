import { SUPERVISOR } from '../audit/record.ts';
import { ensureError } from '../errors/workflow-error.ts';
import type { SupervisorContext } from './context.ts';
import type { Fleet } from './fleet.ts';
import { openKillSpool } from './kill-spool.ts';

/** More instances than this that have not ended are not expected on one machine. */
const MAX_LIVE = 100_000;

/**
 * Takes over what an earlier supervisor left: live instances are adopted, dead ones resumed, queued ones queued.
 * Call it before instances may connect: one that says hello while it is not known yet would be fenced, and would end.
 * Answers the names of the scopes that have an owner.
 */
export async function recover(context: SupervisorContext, fleet: Fleet): Promise<ReadonlySet<string>> {
  const rows = await context.store.call('instance.list', { isLiveOnly: true, limit: MAX_LIVE });
  const known = new Set(rows.flatMap((row) => (row.scope === null ? [] : [row.scope.name])));
  await context.store.call('audit.append', {
    entries: [
      {
        type: 'supervisor.started',
        at: context.now(),
        actor: SUPERVISOR,
        instance: null,
        data: {
          pid: process.pid,
          version: context.version,
          isolation: context.isolation.report,
          live_instances: rows.length,
        },
      },
    ],
  });
  await openKillSpool(context).drain();
  for (const row of rows) await fleet.recover(row);
  return known;
}

/** Ends and removes the scopes that are not `known`. One that cannot be removed does not keep the supervisor from starting. */
export async function sweep(context: SupervisorContext, known: ReadonlySet<string>): Promise<void> {
  for (const record of context.isolation.listScopes()) {
    if (known.has(record.name)) continue;
    try {
      const scope = context.isolation.reopenScope(record);
      if (scope === null) continue;
      const report = await scope.kill({ graceMs: 0, timeoutMs: 5000 });
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
