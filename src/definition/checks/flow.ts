import type { Problem } from '../../errors/workflow-error.ts';
import { childLists, type StepFile, type WorkflowFile } from '../file.ts';
import { append } from '../json-path.ts';
import type { Roster } from '../roster.ts';
import { errorAt } from './problem.ts';

/** Composites within each other at most. */
const MAX_DEPTH = 100;

/**
 * Composites are not nested too deep; and after the steps that are named as handlers left it, every list that must
 * hold steps still does.
 */
export function checkFlow(file: WorkflowFile, roster: Roster): readonly Problem[] {
  const isEmptied = (steps: readonly StepFile[]): boolean =>
    steps.length > 0 && steps.every((step) => roster.moved.has(step.id));
  const top = isEmptied(file.steps) ? [errorAt('$.steps', emptied('the workflow'))] : [];
  const inner = roster.all.flatMap(({ step, path }) =>
    childLists(step)
      .filter((list) => isEmptied(list.steps))
      .map((list) => errorAt(append(path, list.key), emptied(`"${step.id}"`))),
  );
  const deep = roster.all
    .filter(({ step, trail }) => trail.length === MAX_DEPTH + 1 && childLists(step).length > 0)
    .map(({ path }) => errorAt(path, `composite steps are nested more than ${MAX_DEPTH} deep`));
  return [...top, ...inner, ...deep];
}

const emptied = (owner: string): string =>
  `every step here is named as a handler, so ${owner} has nothing left to run`;
