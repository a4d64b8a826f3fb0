/** Whether two definitions of a step are the same, and what differs. Descriptions do not count. */
import { isDeepStrictEqual } from 'node:util';
import type { Step } from '../definition/workflow.ts';
import { innerSteps } from './plan.ts';

export interface StepDifference {
  readonly path: string;
  /** `its skill, inputs differ`, to end a sentence with. */
  readonly message: string;
}

/** Keys that hold steps, compared one by one. */
const INNER = new Set(['steps', 'then', 'else']);

/** What differs between two steps, of the steps in them at their own paths (without turns). */
export function compareStep(before: Step, after: Step, path: string): StepDifference[] {
  if (before.type !== after.type) return [{ path, message: `is ${after.type} in the new definition` }];
  const keys = differences(comparable(before), comparable(after)).filter((key) => !INNER.has(key));
  const found =
    keys.length === 0
      ? []
      : [
          {
            path,
            message: `its ${keys.map(spelling).join(', ')} ${keys.length === 1 ? 'differs' : 'differ'}`,
          },
        ];
  const [old, inner] = [innerSteps(before), innerSteps(after)];
  if (!sameIds(listsOf(before), listsOf(after))) return [...found, { path, message: 'its steps differ' }];
  return [
    ...found,
    ...old.flatMap((step, index) => {
      const other = inner[index];
      return other === undefined ? [] : compareStep(step, other, `${path}/${step.id}`);
    }),
  ];
}

/** Names of the fields that differ. */
export function differences(before: object, after: object): string[] {
  const [old, now] = [new Map(Object.entries(before)), new Map(Object.entries(after))];
  return [...new Set([...old.keys(), ...now.keys()])].filter(
    (key) => !isDeepStrictEqual(old.get(key) ?? null, now.get(key) ?? null),
  );
}

function comparable(step: Step): Record<string, unknown> {
  // The order in which values are set counts.
  return { ...step, description: '', set: Object.entries(step.set), undo: step.undo && bare(step.undo) };
}

function bare({ id, step }: NonNullable<Step['undo']>): unknown {
  return { id, step: comparable(step) };
}

function listsOf(step: Step): (readonly Step[])[] {
  if (step.type === 'conditional') return [step.then, step.else];
  return step.type === 'parallel' || step.type === 'loop' ? [step.steps] : [];
}

function sameIds(before: (readonly Step[])[], after: (readonly Step[])[]): boolean {
  const ids = (lists: (readonly Step[])[]): string[][] => lists.map((list) => list.map(({ id }) => id));
  return isDeepStrictEqual(ids(before), ids(after));
}

/** As the file has it. */
function spelling(key: string): string {
  const names: Readonly<Record<string, string>> = { isAsync: 'async', timeoutMs: 'timeout' };
  return names[key] ?? key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
