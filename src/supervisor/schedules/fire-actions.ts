import { type AuditActor, type AuditEntry, SUPERVISOR } from '../../audit/record.ts';
import { ensureWorkflowError, WorkflowError } from '../../errors/workflow-error.ts';
import type { FireDecision } from '../../schedule/decide-fires.ts';
import type { Store } from '../../store/store.ts';
import type { FireRow, FireStatus, NewFire, Starter } from '../../store/tables/schedule-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { type Started, startWorkflow } from '../definitions/run-workflow.ts';
import type { WorkflowSource } from '../definitions/workflow-folders.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import type { ScheduleEntry } from './schedule-entry.ts';

/** Carries out what was decided about fires. One call at a time for a workflow. */
export interface FireActions {
  carryOut(entry: ScheduleEntry, decision: FireDecision): Promise<void>;
  /**
   * Starts the workflow for a fire, in one transaction with the fire's row. One that cannot start is recorded as refused
   * or failed and answered as the error. Rejects, with nothing recorded, for what may go well later: a full disk, a
   * supervisor that is leaving.
   */
  start(
    entry: ScheduleEntry,
    at: number,
    from: NewFire['from'],
    actor: AuditActor,
  ): Promise<Started | WorkflowError>;
  /** Fires before `to` that are older than every window. */
  missOlder(entry: ScheduleEntry, to: number): Promise<void>;
}

interface Outcome {
  readonly status: FireStatus;
  readonly instance: string | null;
  readonly reason: string | null;
}

const AUDIT_TYPES: Readonly<Record<FireStatus, string>> = {
  started: 'schedule.fired',
  skipped: 'schedule.skipped',
  queued: 'schedule.queued',
  replacing: 'schedule.queued',
  refused: 'schedule.refused',
  failed: 'schedule.failed',
};

export function createFireActions(context: SupervisorContext, fleet: Fleet): FireActions {
  const { store, log, now } = context;

  const fireOf = (
    { row: { workflow } }: ScheduleEntry,
    at: number,
    from: NewFire['from'],
    actor: AuditActor,
    outcome: Outcome,
  ): NewFire => {
    const row: FireRow = { workflow, at, ...outcome, decidedAt: now() };
    return { row, from, audit: auditOf(row, actor) };
  };

  const decide = async (
    entry: ScheduleEntry,
    at: number,
    from: NewFire['from'],
    status: 'skipped' | 'queued' | 'replacing' | 'refused' | 'failed',
    reason: string | null,
    actor: AuditActor = SUPERVISOR,
  ): Promise<void> => {
    const fire = fireOf(entry, at, from, actor, { status, instance: null, reason });
    const { isNew } = await store.call('fire.decide', { fire });
    if (!isNew) log.warn('a fire was decided already', { workflow: entry.row.workflow, at });
  };

  const miss = (entry: ScheduleEntry, to: number, data: object): Promise<null> =>
    store.call('fire.miss', {
      workflow: entry.row.workflow,
      to,
      audit: {
        type: 'schedule.missed',
        at: now(),
        actor: SUPERVISOR,
        instance: null,
        data: { workflow: entry.row.workflow, ...data },
      },
    });

  const start: FireActions['start'] = async (entry, at, from, actor) => {
    try {
      const { source, starter } = await registeredAs(store, entry);
      const { env, ...caller } = starter;
      return await startWorkflow(
        context,
        fleet,
        source,
        { caller, env, inputs: {}, context: {} },
        {
          actor,
          fire: (instance) => fireOf(entry, at, from, actor, { status: 'started', instance, reason: null }),
        },
      );
    } catch (thrown) {
      const error = ensureWorkflowError(thrown);
      if (error.isRetryable || error.code === 'SHUTTING_DOWN') throw error;
      log.warn('a fire of a schedule started nothing', {
        workflow: entry.row.workflow,
        at: new Date(at).toISOString(),
        cause: error.message,
      });
      if (error.code === 'FIRE_DECIDED') return error;
      const status = error.code === 'KILL_SWITCH' ? 'refused' : 'failed';
      await decide(entry, at, from, status, `${error.code}: ${error.message}`, actor);
      return error;
    }
  };

  const replace = async (entry: ScheduleEntry, at: number): Promise<void> => {
    for (const older of await store.call('fire.waiting', { workflow: entry.row.workflow }))
      await decide(entry, older.at, 'waiting', 'skipped', 'superseded by a later fire');
    await decide(entry, at, 'plan', 'replacing', null);
  };

  return {
    start,
    missOlder: (entry, to) =>
      miss(entry, to, { after: iso(entry.decidedTo), to: iso(to), fires: null }).then(() => undefined),
    carryOut: async (entry, decision) => {
      switch (decision.action) {
        case 'start':
          await start(entry, decision.at, 'plan', SUPERVISOR);
          return;
        case 'queue':
          entry.hasWaiting = true;
          await decide(entry, decision.at, 'plan', 'queued', null);
          return;
        case 'replace':
          entry.hasWaiting = true;
          await replace(entry, decision.at);
          return;
        case 'skip':
          await decide(entry, decision.at, 'plan', 'skipped', decision.reason);
          return;
        case 'miss':
          await miss(entry, decision.to, {
            from: iso(decision.from),
            to: iso(decision.to),
            fires: decision.count,
          });
          return;
      }
    },
  };
}

/** The definition, and as whom it runs. Read for each fire: of ten thousand schedules few fire at a time. */
async function registeredAs(
  store: Store,
  { row }: ScheduleEntry,
): Promise<{ source: WorkflowSource; starter: Starter }> {
  const [registration, text] = await Promise.all([
    store.call('registration.get', { name: row.workflow }),
    store.call('document.get', { hash: row.definitionHash }),
  ]);
  if (registration === null) throw new WorkflowError('WORKFLOW_NOT_FOUND', 'it is not registered any more');
  const { starter, source: file } = registration;
  if (starter === null)
    throw new WorkflowError('WORKFLOW_NOT_FOUND', 'it was registered by an older version: register it again');
  return { source: { kind: 'registered', file, text }, starter };
}

function auditOf(
  { workflow, at, status, instance, reason, decidedAt }: FireRow,
  actor: AuditActor,
): AuditEntry {
  return {
    type: AUDIT_TYPES[status],
    at: decidedAt,
    actor,
    instance,
    data: { workflow, fire: iso(at), ...(reason === null ? {} : { reason }) },
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
