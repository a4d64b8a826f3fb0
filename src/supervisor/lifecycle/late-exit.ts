import type { Scope } from '../../../sandbox/isolation.ts';
import { SUPERVISOR } from '../../audit/record.ts';
import { ensureError } from '../../errors/workflow-error.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { measureUsage } from './live-instance.ts';
import { readLive } from './read-live.ts';

/**
 * Records the exit of a process whose run had ended when an earlier supervisor was killed, and what it used, as its
 * scope still tells. Does nothing where the exit was recorded. Call it before the scope is removed; a failure is logged.
 */
export async function recordLateExit({ store, log, now }: SupervisorContext, scope: Scope): Promise<void> {
  const { name } = scope.record;
  const id = name.slice(0, name.lastIndexOf('.'));
  try {
    const row = await store.call('instance.get', { id });
    if (row === null || row.endedAt === null || !hasEnded(row.status)) return;
    if (row.process === null || row.scope?.name !== name) return;
    const live = await readLive(store, id);
    live.scope = scope;
    const { incarnation, fruitless, endedAt } = row;
    const usage = measureUsage(live);
    const data = { incarnation, exit: null, verdict: 'ended', usage };
    const audit = { type: 'instance.exited', at: now(), actor: SUPERVISOR, instance: id, data };
    // Since the end of the run nothing of it was active.
    await store.call('instance.exited', {
      id,
      incarnation,
      usage,
      fruitless,
      activeMs: null,
      at: endedAt,
      audit,
    });
  } catch (error) {
    log.error('the end of an instance could not be recorded', {
      instance: id,
      cause: ensureError(error).message,
    });
  }
}
