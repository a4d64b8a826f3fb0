/**
 * What the wizard knows of a workflow. It has the shape of the workflow file wherever that can be, so that what there
 * is no question for stays as it was written; `definitionOf` makes the file of it.
 */
import type {
  ContextFile,
  InputFile,
  LimitsFile,
  PolicyFile,
  StepFile,
  TriggerFile,
} from '../../definition/file.ts';
import type { Json, JsonObject } from '../../definition/workflow.ts';

export interface Answers {
  readonly name: string;
  readonly version: string;
  readonly purpose: string;
  readonly inputs: Readonly<Record<string, InputFile>>;
  readonly context: ContextFile;
  readonly triggers: readonly TriggerFile[];
  readonly limits: LimitsFile;
  /** For every step that says nothing of its own; null = not said. */
  readonly on_error: PolicyFile | null;
  readonly steps: readonly StepAnswer[];
  /** Skills that the wizard makes with the workflow: name → what goes into its file. */
  readonly new_skills: Readonly<Record<string, NewSkill>>;
  /** Keys of the file that no question is about. */
  readonly kept: JsonObject;
}

/** A step as in the file, with its own error policy beside it; inner steps are such steps again. */
export type StepAnswer = JsonObject & {
  readonly id: string;
  readonly type: StepFile['type'];
};

/** A skill file of shape A (docs/skills.md). */
export type NewSkill =
  | {
      readonly type: 'code_inline';
      readonly description: string;
      readonly command: string;
      readonly args: readonly string[];
    }
  | { readonly type: 'prompt_inline'; readonly description: string; readonly prompt_template: string };

export const NO_ANSWERS: Answers = {
  name: '',
  version: '1.0.0',
  purpose: '',
  inputs: {},
  context: {},
  triggers: [],
  limits: {},
  on_error: null,
  steps: [],
  new_skills: {},
  kept: {},
};

/** The keys of a step under which its inner steps stand, by type. */
export const INNER_KEYS: Readonly<Record<StepAnswer['type'], readonly string[]>> = {
  skill: [],
  agent: [],
  approval: [],
  parallel: ['steps'],
  loop: ['steps'],
  conditional: ['then', 'else'],
};

/** The steps in a list of a step; empty where it has none. */
export function innerSteps(step: StepAnswer, key: string): readonly StepAnswer[] {
  const list: Json | undefined = step[key];
  return Array.isArray(list) ? (list as StepAnswer[]) : [];
}

/** The steps with all inside them, each before those in it. */
export function flattened(steps: readonly StepAnswer[]): readonly StepAnswer[] {
  return steps.flatMap((step) => [
    step,
    ...INNER_KEYS[step.type].flatMap((key) => flattened(innerSteps(step, key))),
  ]);
}

/** A value as text: a text itself, nothing for nothing, anything else as JSON. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string'
    ? value
    : value === undefined || value === null
      ? ''
      : JSON.stringify(value);
}
