import type { Listed, Roster } from '../roster.ts';

/** Where in a step a reference stands: some places see more. */
export type ReferencePlace = 'inputs' | 'condition' | 'set';

/**
 * Why `from` cannot refer to the step `id`, in words, or null when it can: the step runs before it, or may have.
 * A step after a loop sees the last turn; one after a conditional sees null for a branch that was not taken.
 */
export function refusalOf(from: Listed, id: string, place: ReferencePlace, roster: Roster): string | null {
  const target = roster.byId.get(id);
  if (target === undefined) return roster.isDeclared(id) ? null : `there is no step "${id}"`;
  if (target === from) return place === 'set' ? null : `step "${id}" refers to its own result`;
  if (target.handler !== from.handler) {
    if (target.handler === null) return null; // a handler sees what the flow has done so far
    return `"${id}" is a handler: it does not run in the normal flow, its result stands for that of the step it handles`;
  }
  return relation(from, target, place);
}

function relation(from: Listed, target: Listed, place: ReferencePlace): string | null {
  const { id } = target.step;
  const depth = from.trail.findIndex((mine, index) => {
    const other = target.trail[index];
    return other === undefined || other.index !== mine.index || other.key !== mine.key;
  });
  const mine = from.trail[depth];
  const other = target.trail[depth];
  if (mine === undefined) return inside(from, id, place);
  if (other === undefined) return `step "${id}" holds this step and ends after it`;
  const owner = mine.owner?.step;
  if (owner?.type === 'parallel') {
    return `step "${id}" is in another branch of the parallel group "${owner.id}": all branches start together`;
  }
  if (mine.key !== other.key && owner !== undefined) {
    return `step "${id}" is in the other branch of the conditional "${owner.id}"`;
  }
  return other.index < mine.index ? null : `step "${id}" runs later`;
}

/** The target lies inside the step that refers to it. A loop's condition is tested again after each turn. */
function inside(from: Listed, id: string, place: ReferencePlace): string | null {
  if (place === 'set' || (place === 'condition' && from.step.type === 'loop')) return null;
  return `step "${id}" lies inside this step and runs later`;
}
