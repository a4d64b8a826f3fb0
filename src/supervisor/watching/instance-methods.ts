import type { Json } from '../../definition/workflow.ts';
import type { JournalEntry } from '../../engine/events.ts';
import { projectRun, type RunProjection } from '../../engine/projection.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import type { StatusDocument } from '../../protocol/control.ts';
import { instanceFolder } from '../../protocol/home.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import type { ControlHandlers } from '../control-server.ts';
import { personOf } from '../definitions/run-workflow.ts';
import { withValues } from '../intake/blob-values.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import { follow } from '../lifecycle/follow.ts';
import { measureUsage } from '../lifecycle/live-instance.ts';
import { resumeInstance } from '../lifecycle/resume-instance.ts';
import { instanceSummary, statusDocument } from '../lifecycle/status-document.ts';
import { resolveInstance } from '../resolve-instance.ts';

type InstanceHandlers = Pick<
  ControlHandlers,
  | 'instance.list'
  | 'instance.status'
  | 'instance.watch'
  | 'instance.stop'
  | 'instance.pause'
  | 'instance.resume'
  | 'instance.logs'
  | 'instance.definition'
>;

/** The methods that speak of one instance or all of them. */
export function instanceMethods(context: SupervisorContext, fleet: Fleet): InstanceHandlers {
  const { store } = context;

  const find = async (given: string): Promise<InstanceRow> => {
    const id = await resolveInstance(store, given);
    const row = await store.call('instance.get', { id });
    if (row === null) throw new WorkflowError('INSTANCE_NOT_FOUND', `no instance has the id ${given}`);
    return row;
  };

  const document = async (row: InstanceRow): Promise<StatusDocument> =>
    withValues(instanceFolder(context.home, row.id), await shortDocument(row));

  /** With references for large values. */
  const shortDocument = async (row: InstanceRow): Promise<StatusDocument> => {
    const live = fleet.find(row.id);
    // The row may be ahead: of a commit we hear a moment after the next reader of the database does.
    const isBehind = live !== null && live.lastSeq < row.lastSeq;
    const now = live && {
      status: isBehind ? row.status : live.status,
      usage: measureUsage(live),
      usedNow: live.scope === null ? null : live.usedNow,
      pid: live.process?.pid ?? null,
    };
    if (live !== null && !isBehind) return statusDocument(row, live.projection, now);
    const journal = await readJournal(store, row.id);
    return statusDocument(row, projected(context, row, journal), now);
  };

  return {
    'instance.list': async ({ isLiveOnly, limit, after = null }) => {
      const rows = await store.call('instance.summaries', { isLiveOnly, limit, after });
      return rows.map((row) => {
        const live = hasEnded(row.status) ? null : fleet.find(row.id);
        return instanceSummary(row, live?.status ?? row.status, live?.approvals ?? []);
      });
    },
    'instance.status': async ({ id }) => document(await find(id)),
    'instance.watch': async ({ id }, call) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null || call.gone.aborted) return document(row);
      follow(live, call);
      return document(row);
    },
    'instance.stop': async ({ id, isForced, caller }) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null || hasEnded(row.status)) throw alreadyEnded(row);
      if (isForced) await fleet.kill(live, personOf(caller));
      else await fleet.stop(live, personOf(caller));
      return { id: row.id, status: live.status };
    },
    'instance.pause': async ({ id, caller }) => {
      const row = await find(id);
      const live = fleet.find(row.id);
      if (live === null || hasEnded(row.status)) throw alreadyEnded(row);
      await fleet.pause(live, personOf(caller));
      return { id: row.id, status: live.status };
    },
    'instance.resume': async (request) => {
      const row = await find(request.id);
      const stepsOf = async (): Promise<StatusDocument['steps']> => (await shortDocument(row)).steps;
      return resumeInstance(context, fleet, row, request, stepsOf);
    },
    'instance.definition': async ({ id }) => {
      const row = await find(id);
      const text = await store.call('document.get', { hash: row.definitionHash });
      if (text === null) throw new WorkflowError('INTERNAL', `the definition of ${row.id} is missing`);
      return { id: row.id, definition: JSON.parse(text) as Json };
    },
    'instance.logs': async ({ id }) => {
      const row = await find(id);
      return {
        id: row.id,
        folder: instanceFolder(context.home, row.id),
        hasEnded: fleet.find(row.id) === null,
      };
    },
  };
}

/** The picture of a journal; an empty one, and a line in the log, when it cannot be made: the row says what is known. */
function projected(
  { log }: SupervisorContext,
  { id }: InstanceRow,
  journal: readonly JournalEntry[],
): RunProjection {
  const projection = projectRun();
  try {
    for (const entry of journal) projection.apply(entry);
    return projection;
  } catch (error) {
    log.error('the journal of an instance cannot be read', {
      instance: id,
      cause: ensureError(error).message,
    });
    return projectRun();
  }
}

function alreadyEnded({ id, status }: { readonly id: string; readonly status: string }): WorkflowError {
  const hint = `Run q workflow status ${id} to see how it ended.`;
  return new WorkflowError('ALREADY_ENDED', `the instance ${id} has ended already: ${status}`, { hint });
}
