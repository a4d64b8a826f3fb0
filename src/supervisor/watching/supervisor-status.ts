import { ensureWorkflowError, systemCode } from '../../errors/workflow-error.ts';
import type { ServiceFacts } from '../../protocol/service.ts';
import type { NotificationsDocument, SupervisorStatus } from '../../protocol/supervisor-control.ts';
import { planFires } from '../../schedule/plan.ts';
import type { AuditAbout } from '../../store/operations.ts';
import type { Capacity } from '../admission/capacity.ts';
import type { AuditKeeper } from '../audit/audit-keeper.ts';
import type { SupervisorContext } from '../context.ts';
import { latchDocument } from '../guard/kill-methods.ts';
import { policyEnvironment } from '../guard/policy-environment.ts';
import type { Fleet } from '../lifecycle/fleet.ts';
import type { ScheduleEntry } from '../schedules/schedule-entry.ts';
import { fireDocument } from '../schedules/schedule-methods.ts';
import type { Scheduler } from '../schedules/scheduler.ts';
import { diskOf, diskReserve } from '../upkeep/disk-guard.ts';
import type { Vitals } from './vitals.ts';

export interface StatusParts {
  readonly fleet: Fleet;
  readonly scheduler: Scheduler;
  readonly keeper: AuditKeeper;
  readonly vitals: Vitals;
  readonly capacity: Capacity;
  readonly service: ServiceFacts | null;
  readonly notifications: () => NotificationsDocument;
  /** What is wrong with the person's configuration. */
  readonly problems: () => readonly string[];
}

const FIRES = 5;

/** What costs the same however much waits: enough for metrics, which are asked for again and again. */
export type Vital = Omit<SupervisorStatus, 'queue' | 'next_fires'>;

/** How the supervisor is, as `supervisor status --json` prints it. */
export async function supervisorStatus(
  context: SupervisorContext,
  parts: StatusParts,
): Promise<SupervisorStatus> {
  const vital = await vitalStatus(context, parts);
  const fires = await answered(() => nextFires(context, parts.scheduler));
  return {
    ...vital,
    problems: [...new Set([...vital.problems, ...fires.problems])],
    queue: parts.fleet.ledger.queue(),
    next_fires: fires.answer ?? [],
  };
}

export async function vitalStatus(context: SupervisorContext, parts: StatusParts): Promise<Vital> {
  const { store, isolation, home } = context;
  const { fleet, vitals, capacity, keeper } = parts;
  const { promised } = fleet.ledger;
  const about = await answered(() => store.call('audit.about', {}));
  const approvals = await answered(() => pendingApprovals(context));
  const { backend, enforced, observed, missing } = isolation.report;
  return {
    pid: process.pid,
    version: context.version,
    home: home.folder,
    started_at: new Date(context.startedAt).toISOString(),
    uptime_seconds: Math.round(process.uptime()),
    isolation: { backend, enforced, observed },
    missing,
    instances: countByStatus(fleet),
    instances_awaited: fleet.awaited,
    capacity: {
      memory_bytes: capacity.memoryBytes,
      memory_promised_bytes: promised.memoryBytes,
      cpu_percent: capacity.cpuPercent,
      cpu_promised_percent: promised.cpuPercent,
    },
    memory_bytes: process.memoryUsage.rss(),
    store_pending: store.pending,
    store_latency: vitals.storeLatency(),
    loop_delay: vitals.loopDelay(),
    disk: diskDocument(home.folder),
    approvals: approvals.answer,
    kill_switches: context.killSwitch.list().map(latchDocument),
    notifications: parts.notifications(),
    problems: [
      ...new Set([
        ...parts.problems(),
        ...(keeper.problem === null ? [] : [keeper.problem]),
        ...about.problems,
        ...approvals.problems,
      ]),
    ],
    audit: auditOf(about.answer, keeper),
    environment: policyEnvironment(),
    config_home: process.env['XDG_CONFIG_HOME'] || null,
    service: parts.service,
  };
}

/**
 * What the database answers, or why it does not: of all times the status is wanted when it is damaged, and who is to
 * restore it has to stop us first.
 */
async function answered<T>(
  ask: () => Promise<T>,
): Promise<{ answer: T | null; problems: readonly string[] }> {
  try {
    return { answer: await ask(), problems: [] };
  } catch (error) {
    const { code, hint, message } = ensureWorkflowError(error);
    const cause = message.replace(/^cannot carry out [\w.]+: /, '');
    return {
      answer: null,
      problems: [`The database does not answer: ${cause} [${code}]. ${hint ?? ''}`.trimEnd()],
    };
  }
}

function auditOf(about: AuditAbout | null, { anchorFile }: AuditKeeper): SupervisorStatus['audit'] {
  return about === null ? null : { log: about.log, key: about.publicKey, anchor: anchorFile };
}

export function countByStatus(fleet: Pick<Fleet, 'all'>): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { status } of fleet.all()) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

async function nextFires(
  { now }: SupervisorContext,
  scheduler: Scheduler,
): Promise<SupervisorStatus['next_fires']> {
  const soonest = earliest(await scheduler.entries());
  const fires: { readonly at: number; readonly shown: SupervisorStatus['next_fires'][number] }[] = [];
  for (const { row, workflow, decidedTo } of soonest) {
    if (workflow === null) continue;
    for (const fire of (await planFires(workflow, Math.max(decidedTo, now()))).take(FIRES))
      fires.push({ at: fire.at, shown: { workflow: row.workflow, ...fireDocument(fire) } });
  }
  return fires
    .sort((a, b) => a.at - b.at)
    .slice(0, FIRES)
    .map(({ shown }) => shown);
}

/** Who is due first has the first fires: of ten thousand schedules few are planned, and none are sorted. */
function earliest(entries: readonly ScheduleEntry[]): ScheduleEntry[] {
  const due = ({ nextDue }: ScheduleEntry): number => nextDue ?? Number.POSITIVE_INFINITY;
  const found: ScheduleEntry[] = [];
  for (const entry of entries) {
    if (entry.row.pausedAt !== null || entry.workflow === null) continue;
    const last = found[FIRES - 1];
    if (last !== undefined && due(entry) >= due(last)) continue;
    found.push(entry);
    found.sort((a, b) => due(a) - due(b));
    found.splice(FIRES);
  }
  return found;
}

async function pendingApprovals({
  store,
  now,
}: SupervisorContext): Promise<NonNullable<SupervisorStatus['approvals']>> {
  const rows = await store.call('approval.list', { instance: null, isPendingOnly: true, limit: -1 });
  const open = rows.filter(({ expiresAt }) => expiresAt > now());
  const [oldest] = open;
  return {
    pending: open.length,
    oldest: oldest === undefined ? null : new Date(oldest.requestedAt).toISOString(),
  };
}

function diskDocument(folder: string): SupervisorStatus['disk'] {
  try {
    const { freeBytes, totalBytes } = diskOf(folder);
    return { free_bytes: freeBytes, total_bytes: totalBytes, reserve_bytes: diskReserve(totalBytes) };
  } catch (error) {
    // A file system that does not tell; what we use of the folder fails by itself where it is gone.
    if (systemCode(error) === undefined) throw error;
    return null;
  }
}
