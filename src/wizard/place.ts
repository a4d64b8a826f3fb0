import { type Answers, flattened, INNER_KEYS, innerSteps, type StepAnswer } from './answers/answers.ts';
import { faultOf } from './world.ts';

/** A list of steps within the answers, and what is known there. */
export interface Place {
  /** Begins the ids of the questions that are asked here. */
  readonly id: string;
  readonly answers: Answers;
  /** Steps that have run when this list begins. */
  readonly earlier: readonly StepAnswer[];
  /** The steps of this list run side by side: none of them comes before another. */
  readonly isBranches: boolean;
  /** The answers with these steps in this list. */
  readonly wrap: (steps: readonly StepAnswer[]) => Answers;
}

export function topPlace(answers: Answers): Place {
  return { id: 'steps', answers, earlier: [], isBranches: false, wrap: (steps) => ({ ...answers, steps }) };
}

/** The list under `key` of a composite step that stands behind `before` in a place. */
export function innerPlace(
  place: Place,
  before: readonly StepAnswer[],
  after: readonly StepAnswer[],
  composite: StepAnswer,
  key: string,
): Place {
  return {
    id: `${place.id}/${before.length}/${key}`,
    answers: place.answers,
    earlier: earlierThan(place, before),
    isBranches: composite.type === 'parallel',
    wrap: (steps) => place.wrap([...before, { ...composite, [key]: [...steps] }, ...after]),
  };
}

/** The steps whose results a step may take that stands behind `before` in a place. */
export function earlierThan(place: Place, before: readonly StepAnswer[]): readonly StepAnswer[] {
  return place.isBranches ? place.earlier : [...place.earlier, ...flattened(before)];
}

/** Every id that is in use anywhere in the answers as they would be with these steps in this list. */
export function takenIds(place: Place, steps: readonly StepAnswer[]): ReadonlySet<string> {
  const { steps: all, context, kept } = place.wrap(steps);
  const ids = new Set([...flattened(all).map(({ id }) => id), ...Object.keys(context.readonly ?? {})]);
  for (const key of Object.keys(context.mutable ?? {})) ids.add(key);
  // Handlers, undo steps and what else is kept may hold steps in place: their ids are in the text.
  for (const [, id = ''] of JSON.stringify([kept, all]).matchAll(/"id":"([^"]+)"/g)) ids.add(id);
  return ids;
}

/** Why the answers with these steps in this list are no valid workflow; null when they are. */
export function placeFault(place: Place, steps: readonly StepAnswer[]): Promise<string | null> {
  return faultOf(named(place.wrap(steps)));
}

/** A workflow without a name is no workflow yet, and that is not what is asked here. */
function named(answers: Answers): Answers {
  return { ...answers, name: answers.name === '' ? 'unnamed' : answers.name };
}

/** Where a step stands: the lists that lead to it, outermost first. */
export type StepPath = readonly { readonly key: string; readonly index: number }[];

/** Every step with its path, in the order in which they are shown. */
export function stepPaths(steps: readonly StepAnswer[]): readonly { path: StepPath; step: StepAnswer }[] {
  const walk = (
    list: readonly StepAnswer[],
    key: string,
    above: StepPath,
  ): { path: StepPath; step: StepAnswer }[] =>
    list.flatMap((step, index) => {
      const path = [...above, { key, index }];
      return [
        { path, step },
        ...INNER_KEYS[step.type].flatMap((each) => walk(innerSteps(step, each), each, path)),
      ];
    });
  return walk(steps, 'steps', []);
}

/** The list that a path leads into, and the place of that list. */
export function placeAt(
  answers: Answers,
  path: StepPath,
): { place: Place; list: readonly StepAnswer[]; index: number } {
  let place = topPlace(answers);
  let list = answers.steps;
  for (const [depth, { index }] of path.entries()) {
    const next = path[depth + 1];
    const step = list[index];
    if (next === undefined || step === undefined) return { place, list, index };
    place = innerPlace(place, list.slice(0, index), list.slice(index + 1), step, next.key);
    list = innerSteps(step, next.key);
  }
  return { place, list, index: path.at(-1)?.index ?? 0 };
}
