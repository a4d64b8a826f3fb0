/** The state that a journal leads to, for who only looks at it. */
import type { Workflow } from '../definition/workflow.ts';
import type { Evaluator } from './evaluator.ts';
import type { RunEvent } from './events.ts';
import { createPlan, type Plan } from './plan.ts';
import { reduce } from './reduce.ts';
import { createRunState, type MutableRunState } from './run-state.ts';

/** Replay asks for nothing that would have to be compiled. */
const NO_EVALUATOR: Evaluator = {
  compileExpression: () => {
    throw new Error('nothing is evaluated here');
  },
  compileTemplate: () => {
    throw new Error('nothing is evaluated here');
  },
  stepReferences: () => [],
};

/** Good for `replay` alone. */
export function planOf(workflow: Workflow): Plan {
  return createPlan(workflow, NO_EVALUATOR);
}

/** Throws IllegalTransition for a journal that does not fit. */
export function replay(plan: Plan, journal: readonly RunEvent[]): MutableRunState {
  const state = createRunState(plan.flow);
  for (const event of journal) reduce(state, plan, event);
  return state;
}
