import { readTriggers, type Timed } from '../../definition/triggers.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import type { FireDecision } from '../../schedule/decide-fires.ts';
import { type PlannedFire, planFires } from '../../schedule/plan.ts';
import type { ScheduleRow } from '../../store/tables/schedule-rows.ts';
import type { SupervisorContext } from '../context.ts';

/** A registered workflow with schedules, as the scheduler holds it: there may be ten thousand. */
export interface ScheduleEntry {
  readonly row: ScheduleRow;
  /** Null when it cannot be read any more; `problem` says why. */
  readonly workflow: Timed | null;
  readonly problem: string | null;
  decidedTo: number;
  /** When to look at it; null = not before it is changed. */
  nextDue: number | null;
  /** The first fire that was not due when it was last looked at; null when none was to come, or nobody has looked. */
  next: PlannedFire | null;
  /** Fires of it may wait for an instance to end. */
  hasWaiting: boolean;
  /** Some are due and not decided: an instance that ran on alone may have ended, and has not told yet. */
  isHeldUp: boolean;
  /** What was decided and is not carried out yet; then all up to `to` is decided. Null when nothing is. */
  backlog: { readonly decisions: FireDecision[]; readonly to: number } | null;
}

export type Entries = Map<string, ScheduleEntry>;

/** So many definitions are asked for at once; the writer takes as many into one turn. */
const BATCH = 500;

/** All schedules of the database, each to be looked at; definitions that are known already are not read again. */
export async function readSchedules(
  context: SupervisorContext,
  known: ReadonlyMap<string, ScheduleEntry>,
): Promise<Entries> {
  const rows = await context.store.call('schedule.list', {});
  const entries: Entries = new Map();
  for (let begin = 0; begin < rows.length; begin += BATCH) {
    const batch = rows.slice(begin, begin + BATCH);
    const read = await Promise.all(batch.map((row) => planOf(context, row, known.get(row.workflow))));
    for (const [index, row] of batch.entries()) {
      const plan = read[index];
      if (plan !== undefined) entries.set(row.workflow, anew(context, row, plan));
    }
  }
  return entries;
}

/** One of them, as it is in the database now, or null; one that has not changed keeps its time to be looked at. */
export async function readSchedule(
  context: SupervisorContext,
  workflow: string,
  known: ScheduleEntry | undefined,
): Promise<ScheduleEntry | null> {
  const row = await context.store.call('schedule.get', { workflow });
  if (row === null) return null;
  const isSame =
    known !== undefined &&
    known.row.definitionHash === row.definitionHash &&
    known.row.pausedAt === row.pausedAt &&
    known.decidedTo === row.decidedTo;
  return isSame ? Object.assign(known, { row }) : anew(context, row, await planOf(context, row, known));
}

type Plan = Pick<ScheduleEntry, 'workflow' | 'problem'>;

function anew(context: SupervisorContext, row: ScheduleRow, { workflow, problem }: Plan): ScheduleEntry {
  const { decidedTo, hasWaiting } = row;
  const fresh = { nextDue: context.now(), next: null, isHeldUp: false, backlog: null };
  return { row, workflow, problem, decidedTo, hasWaiting, ...fresh };
}

async function planOf(
  { store, log }: SupervisorContext,
  row: ScheduleRow,
  known: ScheduleEntry | undefined,
): Promise<Plan> {
  if (known !== undefined && known.row.definitionHash === row.definitionHash) return known;
  const text = await store.call('document.get', { hash: row.definitionHash });
  try {
    if (text === null) throw new WorkflowError('INTERNAL', 'its definition is not in the database');
    const workflow = readTriggers(text);
    // Throws for an expression or a zone that this version does not know.
    await planFires(workflow, row.decidedTo);
    return { workflow, problem: null };
  } catch (error) {
    const problem = ensureError(error).message;
    log.error('the schedule of a workflow cannot be read', { workflow: row.workflow, cause: problem });
    return { workflow: null, problem };
  }
}
