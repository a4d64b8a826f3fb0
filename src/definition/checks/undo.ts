import type { Problem } from '../../errors/workflow-error.ts';
import { append } from '../json-path.ts';
import type { Roster } from '../roster.ts';
import { errorAt } from './problem.ts';

/**
 * What undoes a step is not undone itself. The model holds an undo step within the step it undoes: a chain of them
 * would nest as deep as the file is long, and a few groups of them would grow it to gigabytes.
 */
export function checkUndo(roster: Roster): readonly Problem[] {
  const undone = roster.all.filter(({ step }) => step.undo !== undefined);
  const withUndo = new Set(
    undone.flatMap(({ step, trail }) => [step.id, ...trail.flatMap(({ owner }) => owner?.step.id ?? [])]),
  );
  return undone.flatMap(({ step, path }) => {
    const id = typeof step.undo === 'string' ? step.undo : step.undo?.id;
    if (id === undefined || !withUndo.has(id)) return [];
    const message = `"${id}" undoes "${step.id}", so neither it nor a step inside it may have an undo`;
    return [errorAt(append(path, 'undo'), message)];
  });
}
