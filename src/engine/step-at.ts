import { allSteps } from '../definition/references.ts';
import type { Step, Workflow } from '../definition/workflow.ts';
import { splitPath, stepIdOf, UNDO } from './paths.ts';

/** By id; a workflow does not change, and is asked at each permit. */
const known = new WeakMap<Workflow, ReadonlyMap<string, Step>>();

/**
 * The step of the definition that a path is of; null where there is none. An undo step is found by the step that it
 * undoes: `a!undo` does not name it, and no handler may be called so.
 */
export function stepAt(workflow: Workflow, path: string): Step | null {
  const parts = splitPath(path);
  if (parts.kind === 'service' && parts.name === UNDO)
    return stepAt(workflow, parts.host)?.undo?.step ?? null;
  const steps = known.get(workflow) ?? new Map(allSteps(workflow).map((step) => [step.id, step]));
  known.set(workflow, steps);
  return steps.get(stepIdOf(path)) ?? null;
}
