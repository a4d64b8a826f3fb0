/** What every question about a step needs: where it stands, and its name. */
import type { NewSkill, StepAnswer } from './answers/answers.ts';
import { freeName, nameFault, slug } from './names.ts';
import { type Place, placeFault, takenIds } from './place.ts';
import { ask, type Flow } from './question.ts';
import type { World } from './world.ts';

/** What the questions of a conversation share. Made anew each time that it is played. */
export interface Desk {
  readonly world: World;
  readonly purpose: string;
  /** Skills that were made on the way. */
  readonly newSkills: Map<string, NewSkill>;
}

/** Where a step stands in its list. */
export interface Spot {
  readonly desk: Desk;
  readonly place: Place;
  readonly before: readonly StepAnswer[];
  readonly after: readonly StepAnswer[];
  readonly id: string;
}

/** A new step's name. An old one keeps its own: others refer to it. */
export function* askId(spot: Spot, wish: string, current: StepAnswer | null): Flow<string> {
  if (current !== null) return current.id;
  const { place, before, after } = spot;
  const taken = takenIds(place, [...before, ...after]);
  const { steps, kept } = place.wrap([...before, ...after]);
  const texts = JSON.stringify([kept, steps]).replace(/"(?:skill|agent|type)":"[^"]*"/g, '');
  // A text that is this word now would be read as the result of the step, a name of a handler as the step.
  const isTaken = (id: string): boolean => taken.has(id) || new RegExp(`"${id}[".\\[]`).test(texts);
  return yield* ask(`${spot.id}/id`, 'Name of the step', {
    standard: freeName(slug(wish, 'step').replace(/^(?=\d)/, 'step-'), isTaken),
    check: (reply) => {
      const id = reply.trim();
      const fault = nameFault(id);
      if (fault !== null) return fault;
      // An expression would read 3 as the step.
      if (/^\d/.test(id)) return 'A step begins with a letter, so that no number is taken for it.';
      if (taken.has(id))
        return `"${id}" is taken: names of steps and shared values are unique in a workflow.`;
      if (isTaken(id))
        return `A value in this workflow is the text "${id}": a step of that name would change its meaning.`;
      return placeFault(place, [...before, { id, type: 'skill', skill: 'x' }, ...after]);
    },
  });
}

/** Why the workflow with this step in its spot is not valid; null when it is. */
export function spotFault({ place, before, after }: Spot, step: StepAnswer): Promise<string | null> {
  return placeFault(place, [...before, step, ...after]);
}
