import type { Workflow } from '../definition/workflow.ts';
import { ensureError } from '../errors/workflow-error.ts';
import type { ScheduleRow } from '../store/schedule-rows.ts';
import type { SupervisorContext } from './context.ts';
import type { WorkflowSource } from './workflow-folders.ts';
import { loadSource } from './workflow-source.ts';

/** A registered workflow with schedules, as the scheduler holds it. */
export interface ScheduleEntry {
  row: ScheduleRow;
  readonly source: WorkflowSource;
  /** Null when it cannot be read any more; `problem` says why. */
  readonly workflow: Workflow | null;
  readonly problem: string | null;
  decidedTo: number;
  /** When to look at it; null = not before it is changed. */
  nextDue: number | null;
  /** Fires of it may wait for an instance to end. */
  hasWaiting: boolean;
}

/** The schedules of the database; what is known already with the same definition is not loaded again. */
export async function readSchedules(
  context: SupervisorContext,
  known: ReadonlyMap<string, ScheduleEntry>,
): Promise<Map<string, ScheduleEntry>> {
  const rows = await context.store.call('schedule.list', {});
  const entries = new Map<string, ScheduleEntry>();
  for (const row of rows) entries.set(row.workflow, await readEntry(context, row, known.get(row.workflow)));
  return entries;
}

async function readEntry(
  context: SupervisorContext,
  row: ScheduleRow,
  known: ScheduleEntry | undefined,
): Promise<ScheduleEntry> {
  const now = context.now();
  const isSame = known !== undefined && known.row.definitionHash === row.definitionHash;
  if (isSame && known.row.pausedAt === row.pausedAt && known.decidedTo === row.decidedTo)
    return Object.assign(known, { row });
  const { decidedTo } = row;
  return { ...(isSame ? known : await load(context, row)), row, decidedTo, nextDue: now, hasWaiting: true };
}

async function load(
  { store, log }: SupervisorContext,
  row: ScheduleRow,
): Promise<Pick<ScheduleEntry, 'source' | 'workflow' | 'problem'>> {
  const text = await store.call('document.get', { hash: row.definitionHash });
  const source: WorkflowSource = { kind: 'registered', file: row.source, text };
  try {
    const { workflow } = await loadSource(source);
    return { source, workflow, problem: null };
  } catch (error) {
    const problem = ensureError(error).message;
    log.error('the schedule of a workflow cannot be read', { workflow: row.workflow, cause: problem });
    return { source, workflow: null, problem };
  }
}
