import type { AuditActor, AuditEntry } from '../../audit/record.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { FireDocument, ScheduleDocument, ScheduleMethods } from '../../protocol/schedule-control.ts';
import { type PlannedFire, planFires } from '../../schedule/plan.ts';
import type { FireSummary } from '../../store/tables/schedule-rows.ts';
import { takeBreaths } from '../breaths.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import { findWorkflow, loadSource } from '../definitions/workflow-source.ts';
import type { ScheduleEntry } from './schedule-entry.ts';
import type { Scheduler } from './scheduler.ts';

const MAX_FIRES = 10_000;

/** The methods that speak of schedules. */
export function scheduleMethods(
  context: SupervisorContext,
  scheduler: Scheduler,
): Pick<ControlHandlers, keyof ScheduleMethods> {
  const { store } = context;
  return {
    'schedule.list': async () => {
      const entries = new Map((await scheduler.entries()).map((entry) => [entry.row.workflow, entry]));
      const documents: ScheduleDocument[] = [];
      const breath = takeBreaths();
      for (const fires of await store.call('fire.summary', {})) {
        const entry = entries.get(fires.workflow);
        // One that was registered between the two questions is in the next list.
        if (entry !== undefined) documents.push(await scheduleDocument(context, entry, fires));
        await breath();
      }
      return documents;
    },
    'schedule.pause': async ({ name, caller }) => {
      await scheduler.find(name);
      const actor = personOf(caller);
      const { hasChanged } = await scheduler.change(name, () =>
        store.call('schedule.pause', {
          workflow: name,
          by: `person ${actor.id}`,
          at: context.now(),
          audit: record('schedule.paused', name, actor, context.now()),
        }),
      );
      return { workflow: name, changed: hasChanged };
    },
    'schedule.resume': async ({ name, caller }) => {
      await scheduler.find(name);
      const { hasChanged } = await scheduler.change(name, () =>
        store.call('schedule.resume', {
          workflow: name,
          at: context.now(),
          audit: record('schedule.resumed', name, personOf(caller), context.now()),
        }),
      );
      return { workflow: name, changed: hasChanged };
    },
    'schedule.trigger': async ({ name, caller }) => {
      const { live, notices } = await scheduler.trigger(name, personOf(caller));
      return { workflow: name, id: live.row.id, notices };
    },
    'schedule.next': async ({ target, count, from, caller }) => {
      const source = await findWorkflow(context.store, target, caller);
      const { workflow } = await loadSource(source);
      if (!workflow.triggers.some(({ type }) => type === 'schedule'))
        throw new WorkflowError(
          'NO_SCHEDULE',
          `the workflow ${workflow.name} has no trigger of type schedule`,
        );
      const fires = await planFires(workflow, from ?? context.now());
      return {
        workflow: workflow.name,
        fires: fires.take(Math.min(count, MAX_FIRES)).map(fireDocument).toArray(),
      };
    },
  };
}

function record(type: string, workflow: string, actor: AuditActor, at: number): AuditEntry {
  return { type, at, actor, instance: null, data: { workflow } };
}

async function scheduleDocument(
  { now }: SupervisorContext,
  entry: ScheduleEntry,
  { last, waiting }: FireSummary,
): Promise<ScheduleDocument> {
  const { row, problem } = entry;
  const next = await nextFire(entry, now());
  return {
    workflow: row.workflow,
    paused:
      row.pausedAt === null ? null : { by: row.pausedBy ?? '', since: new Date(row.pausedAt).toISOString() },
    next: next === null ? null : fireDocument(next),
    last:
      last === null
        ? null
        : {
            at: new Date(last.at).toISOString(),
            status: last.status,
            instance: last.instance,
            reason: last.reason,
          },
    waiting,
    problem,
  };
}

/** The one that is planned already, unless its time has come meanwhile. */
async function nextFire(
  { workflow, next, decidedTo }: ScheduleEntry,
  now: number,
): Promise<PlannedFire | null> {
  const after = Math.max(decidedTo, now);
  if (workflow === null) return null;
  if (next !== null && next.at > after) return next;
  const [coming = null] = (await planFires(workflow, after)).take(1).toArray();
  return coming;
}

export function fireDocument({ at, local, change, trigger: { timezone, cron } }: PlannedFire): FireDocument {
  return { at: new Date(at).toISOString(), local: withOffset(local, local - at), timezone, cron, change };
}

/** A reading of the wall clock with how far it is ahead of UTC. */
function withOffset(local: number, ahead: number): string {
  const minutes = Math.abs(Math.round(ahead / 60_000));
  const pad = (value: number): string => String(value).padStart(2, '0');
  const sign = ahead < 0 ? '-' : '+';
  return `${new Date(local).toISOString().slice(0, 19)}${sign}${pad(Math.floor(minutes / 60))}:${pad(minutes % 60)}`;
}
