import { setTimeout as delay } from 'node:timers/promises';
import { type AuditActor, SUPERVISOR } from '../../audit/record.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { AuditFilter } from '../../protocol/audit-control.ts';
import type { PrunedSegment } from '../../store/audit-prune.ts';
import type { AuditQuery } from '../../store/audit-reader.ts';
import type { SupervisorContext } from '../context.ts';
import type { Call, ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import { recordedInstance } from '../resolve-instance.ts';
import type { AuditKeeper } from './audit-keeper.ts';

type AuditHandlers = Pick<
  ControlHandlers,
  'audit.about' | 'audit.read' | 'audit.follow' | 'audit.show' | 'audit.erase' | 'audit.prune'
>;

/** Records a message of `audit.follow` brings at most. */
const FOLLOW_PAGE = 200;

/** The methods that speak of the audit log. */
export function auditMethods(context: SupervisorContext, keeper: AuditKeeper): AuditHandlers {
  const { store } = context;

  const query = async (filter: AuditFilter): Promise<Omit<AuditQuery, 'order' | 'from' | 'limit'>> => ({
    since: filter.since,
    until: filter.until,
    type: filter.type,
    instance: filter.instance === null ? null : await recordedInstance(store, filter.instance),
  });

  /** Sends what was appended since, page by page, whenever something was. */
  const follow = (call: Call, base: Omit<AuditQuery, 'order' | 'from' | 'limit'>, from: number): void => {
    let after = from;
    let isReading = false;
    let hasMore = false;
    const read = async (): Promise<void> => {
      hasMore = true;
      if (isReading) return;
      isReading = true;
      try {
        while (hasMore && !call.gone.aborted) {
          hasMore = false;
          const through = store.auditSeq;
          const page = await store.call('audit.read', {
            ...base,
            order: 'oldest',
            from: after,
            limit: FOLLOW_PAGE,
          });
          if (page.rows.length > 0) call.notify({ method: 'audit.records', params: { rows: page.rows } });
          hasMore ||= page.next !== null;
          after = page.next ?? Math.max(through, page.rows.at(-1)?.seq ?? 0);
        }
      } catch (error) {
        context.log.error('a follower of the audit log could not be served', { cause: String(error) });
      } finally {
        isReading = false;
      }
    };
    const stop = store.onAppended(() => void read());
    call.gone.addEventListener('abort', () => stop(), { once: true });
    void read();
  };

  return {
    'audit.about': async () => {
      const { log, seq, hash, publicKey } = await store.call('audit.about', {});
      return { log, seq, hash, key: publicKey, anchor: keeper.anchorFile, database: context.home.database };
    },
    'audit.read': async ({ order, from, limit, filter }) =>
      store.call('audit.read', { ...(await query(filter)), order, from, limit }),
    'audit.follow': async ({ from, filter }, call) => {
      const start = from ?? store.auditSeq;
      follow(call, await query(filter), start);
      return { from: start };
    },
    'audit.show': async ({ seq }) => {
      const found = await store.call('audit.show', { seq });
      if (found === null) throw new WorkflowError('RECORD_NOT_FOUND', `the audit log has no record ${seq}`);
      return found;
    },
    'audit.erase': async ({ seq, caller }) => {
      const { isErased } = await store.call('audit.erase', {
        seq,
        at: context.now(),
        actor: personOf(caller),
      });
      if (!isErased)
        throw new WorkflowError('RECORD_NOT_FOUND', `record ${seq} of the audit log has no payload to erase`);
      return { seq };
    },
    'audit.prune': async ({ before, caller }) => ({
      pruned: await pruneAudit(context, before, personOf(caller)),
    }),
  };
}

/**
 * Removes all sealed segments that end before a time (UTC ms), the oldest first, each with its record. Half of the time is
 * left to others: of a long log there are hundreds, and permits and starts wait for the same thread.
 */
export async function pruneAudit(
  { store, now }: SupervisorContext,
  before: number,
  actor: AuditActor = SUPERVISOR,
): Promise<PrunedSegment[]> {
  const pruned: PrunedSegment[] = [];
  for (;;) {
    const began = performance.now();
    const segment = await store.call('audit.prune', { before, at: now(), actor });
    if (segment === null) return pruned;
    if (segment !== 'reading') pruned.push(segment);
    await delay(performance.now() - began);
  }
}
