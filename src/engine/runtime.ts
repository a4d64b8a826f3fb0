/** The state, the plan and the queues of one engine object, and the one way to make an event. */
import type { Workflow } from '../definition/workflow.ts';
import type { Command, Progress, Surroundings } from './contract.ts';
import type { Evaluator } from './evaluator.ts';
import type { RunEvent } from './events.ts';
import { createPlan, type Plan } from './plan.ts';
import { reduce } from './reduce.ts';
import { containerOf, createRunState, hasEnded, type MutableRunState, type StepNode } from './run-state.ts';
import { Schedule } from './schedule.ts';

export interface Runtime {
  readonly state: MutableRunState;
  readonly plan: Plan;
  readonly schedule: Schedule;
  surroundings: Surroundings;
  readonly events: RunEvent[];
  readonly commands: Command[];
}

export function createRuntime(workflow: Workflow, evaluator: Evaluator): Runtime {
  const plan = createPlan(workflow, evaluator);
  return {
    plan,
    state: createRunState(plan.flow),
    schedule: new Schedule(),
    surroundings: { now: 0, random: () => 0 },
    events: [],
    commands: [],
  };
}

/** Applies an event, keeps it for the driver's journal, and marks what may go on because of it. */
export function emit(run: Runtime, event: RunEvent): void {
  const node = reduce(run.state, run.plan, event);
  run.events.push(event);
  if (node === null) {
    run.schedule.look(null);
    return;
  }
  run.schedule.look(node);
  if (hasEnded(node)) {
    run.schedule.look(containerOf(node));
    run.schedule.release(node);
    // A step of the branch that was not taken comes up as skipped.
    if (node.relation === 'child') run.schedule.arrived(node.frame.owner, node.step.id);
  }
}

/** The step type, for the first event of a path. */
export function firstOf(node: StepNode): { stepType?: StepNode['step']['type'] } {
  return node.order === 0 ? { stepType: node.step.type } : {};
}

/** What has come up since the last call. */
export function takeProgress(run: Runtime): Progress {
  return { events: run.events.splice(0), commands: run.commands.splice(0) };
}
