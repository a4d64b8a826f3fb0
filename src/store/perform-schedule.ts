import type { AuditBinds } from '../audit/binds.ts';
import { SUPERVISOR } from '../audit/record.ts';
import type { Arguments } from './operations.ts';
import type { AuditTable } from './tables/audit-table.ts';
import type { ScheduleOperations, ScheduleReads } from './tables/schedule-rows.ts';
import type { SchedulesTable } from './tables/schedules-table.ts';

type ScheduleOperationName = keyof ScheduleOperations | keyof ScheduleReads;

/** The part of `perform` that speaks of schedules; exhaustive over their names. */
export function performSchedule(
  schedules: SchedulesTable,
  audit: AuditTable,
  name: ScheduleOperationName,
  raw: unknown,
): unknown {
  // As in perform.ts: the types of `store.ts` tie each name to its arguments.
  const args = <K extends ScheduleOperationName>(_name: K): Arguments<K> => raw as Arguments<K>;
  const tie = (workflow: string): AuditBinds => ({ schedule: schedules.state(workflow) });
  switch (name) {
    case 'fire.decide': {
      const a = args(name);
      const isNew = schedules.decide(a.fire);
      if (isNew) audit.append(a.fire.audit, tie(a.fire.row.workflow));
      return { isNew };
    }
    case 'fire.miss': {
      const a = args(name);
      schedules.advance(a.workflow, a.to);
      audit.append(a.audit, tie(a.workflow));
      return null;
    }
    case 'fire.prune': {
      const { before, at } = args(name);
      const count = schedules.prune(before);
      const data = { before, count };
      if (count > 0)
        audit.append({ type: 'schedule.fires_pruned', at, actor: SUPERVISOR, instance: null, data });
      return { count };
    }
    case 'schedule.set_clock': {
      const a = args(name);
      schedules.setClock(a.at);
      audit.append(a.audit);
      return null;
    }
    case 'schedule.pause': {
      const a = args(name);
      const hasChanged = schedules.pause(a);
      if (hasChanged) audit.append(a.audit, tie(a.workflow));
      return { hasChanged };
    }
    case 'schedule.resume': {
      const a = args(name);
      const hasChanged = schedules.resume(a);
      if (hasChanged) audit.append(a.audit, tie(a.workflow));
      return { hasChanged };
    }
    case 'schedule.list':
      return schedules.list();
    case 'schedule.get':
      return schedules.get(args(name).workflow);
    case 'fire.known': {
      const a = args(name);
      return schedules.known(a.workflow, a.after, a.until);
    }
    case 'fire.waiting':
      return schedules.waiting(args(name).workflow);
    case 'fire.summary':
      return schedules.summary();
    case 'fire.live':
      return schedules.live(args(name).workflow);
  }
}
