import type { Workflow } from '../../definition/workflow.ts';
import { assertResumesFrom } from '../../engine/resume-plan.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { ensureWorkflowError, WorkflowError } from '../../errors/workflow-error.ts';
import { wholeRun } from '../../guard/kill/kill-scope.ts';
import type { ControlMethods, StatusDocument } from '../../protocol/control.ts';
import { pathOf } from '../../protocol/step-address.ts';
import { readJournal } from '../../store/read-journal.ts';
import type { InstanceRow } from '../../store/tables/instance-rows.ts';
import { hasEnded } from '../../store/tables/instance-rows.ts';
import type { SupervisorContext } from '../context.ts';
import { checkPins } from '../definitions/check-pins.ts';
import { agentVariables, keepKeys } from '../definitions/model-keys.ts';
import { readPins } from '../definitions/pins.ts';
import { checkedKeys } from '../definitions/prepare-run.ts';
import { redefine } from '../definitions/redefine-instance.ts';
import { personOf } from '../definitions/run-workflow.ts';
import type { Fleet } from './fleet.ts';
import { isPaused } from './live-instance.ts';

type ResumeRequest = ControlMethods['instance.resume'][0];

/**
 * Lets a paused instance go on, or opens an ended one again, with the definition it has or another. `stepsOf` reads what
 * `status` shows. Throws NOT_RESUMABLE, KILL_SWITCH, STEP_NOT_FOUND, PIN_CHANGED or DEFINITION_MISMATCH; nothing has changed then.
 */
export async function resumeInstance(
  context: SupervisorContext,
  fleet: Fleet,
  row: InstanceRow,
  request: ResumeRequest,
  stepsOf: () => Promise<StatusDocument['steps']>,
): Promise<ControlMethods['instance.resume'][1]> {
  const { pins, caller, modelEnv = {}, definition = null } = request;
  const live = fleet.find(row.id);
  if (live !== null && isPaused(live) && request.from === null && definition === null) {
    await fleet.unpause(live, personOf(caller));
    return { id: row.id, notices: [] };
  }
  if (live !== null) throw stillLive(row, definition);
  if (!['failed', 'stopped', 'killed', 'timed_out'].includes(row.status))
    throw new WorkflowError(
      'NOT_RESUMABLE',
      `the instance ${row.id} is ${row.status} and cannot be resumed`,
      {
        hint: `Run q workflow status ${row.id}; completed instances are started anew with q workflow run.`,
      },
    );
  context.killSwitch.assertArmed(wholeRun(row));
  const from = request.from === null ? null : stepAt(row, await stepsOf(), request.from);
  const audit = {
    type: 'instance.resume_requested',
    at: context.now(),
    actor: personOf(caller),
    instance: row.id,
  };
  if (definition !== null) {
    const { change, keys, data } = await redefine(
      context,
      fleet,
      row,
      { ...request, from, modelEnv },
      definition,
    );
    keepKeys(context.home, row.id, keys);
    await fleet.reopen(row, { from, change, audit: { ...audit, data: { from, ...data } } });
    return { id: row.id, notices: change.notice === null ? [] : [change.notice] };
  }
  if (pins === 'check') await checkPins(context.store, row, caller);
  const { workflow, models, agents } = await readPins(context.store, row);
  if (from !== null) await assertRunsFrom(context, row, workflow, from);
  keepKeys(context.home, row.id, {
    ...checkedKeys(Object.values(models), modelEnv, context.home),
    ...agentVariables(agents, modelEnv),
  });
  await fleet.reopen(row, { from, change: null, audit: { ...audit, data: { from } } });
  return { id: row.id, notices: row.notice === null ? [] : [row.notice] };
}

function stillLive(row: InstanceRow, definition: string | null): WorkflowError {
  const state = hasEnded(row.status) ? 'is being resumed already' : `has not ended: it is ${row.status}`;
  const hint =
    definition === null
      ? 'Run q workflow status <id> --watch to follow it.'
      : 'Another definition is for a run that has ended: q workflow stop <id>, then resume it.';
  return new WorkflowError('NOT_RESUMABLE', `the instance ${row.id} ${state}`, {
    hint,
    about: { id: row.id },
  });
}

/** Found out by the process of the instance, it would end that at each start, and then the run. */
async function assertRunsFrom(
  { store }: SupervisorContext,
  row: InstanceRow,
  workflow: Workflow,
  from: string,
): Promise<void> {
  const journal = await readJournal(store, row.id);
  const events = journal.map(({ event }) => event);
  try {
    assertResumesFrom(workflow, events, from);
  } catch (error) {
    const { code, message, hint } = ensureWorkflowError(error);
    throw new WorkflowError(code, message, { hint, about: { id: row.id }, cause: error });
  }
}

function stepAt(row: InstanceRow, steps: StatusDocument['steps'], from: string): string {
  const path = pathOf(from, steps);
  if (path !== undefined) return path;
  const paths = steps.map((step) => step.path);
  throw new WorkflowError(
    'STEP_NOT_FOUND',
    `the instance ${row.id} has no step at the path "${from}"${didYouMean(nearest(from, paths))}`,
    { details: { steps: paths.slice(0, 50) }, about: { id: row.id } },
  );
}
