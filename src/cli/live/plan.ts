import type { Json, JsonObject } from '../../definition/workflow.ts';
import { printable } from '../text/style.ts';

/** A step of the definition: what is shown of it before anything is heard of it. */
export interface PlannedStep {
  readonly id: string;
  readonly type: string;
  /** What it runs: `agent triage`. Empty where its type says nothing more. */
  readonly what: string;
  /** Turns of a loop at most; null where the definition leaves it out. */
  readonly most: number | null;
  /** Its steps; a conditional has two lists, of which one is taken. */
  readonly branches: readonly (readonly PlannedStep[])[];
}

/** The steps of a definition as it stands in its file. */
export function planOf(definition: Json): readonly PlannedStep[] {
  return plannedSteps(asObject(definition)['steps']);
}

function plannedSteps(list: Json | undefined): PlannedStep[] {
  return Array.isArray(list) ? list.map((step) => plannedStep(asObject(step))) : [];
}

function plannedStep(step: JsonObject): PlannedStep {
  const type = textOf(step['type']);
  const most = step['max_iterations'];
  const runs = step[type];
  return {
    id: textOf(step['id']),
    type,
    what: (type === 'skill' || type === 'agent') && typeof runs === 'string' ? `${type} ${textOf(runs)}` : '',
    most: typeof most === 'number' ? most : null,
    branches: (type === 'conditional' ? ['then', 'else'] : ['steps']).map((key) => plannedSteps(step[key])),
  };
}

function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? printable(value) : '';
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
