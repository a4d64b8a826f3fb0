import type { JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { holdsSecret } from './secrets.ts';
import type { Skill } from './skill.ts';
import { fillTemplate, placeNames } from './template.ts';

export interface PromptResult {
  /** `text` and, for steps that read any skill alike, the same as `stdout`. */
  readonly result: { readonly text: string; readonly stdout: string };
  readonly warnings: readonly string[];
}

/** The text of a prompt_inline: no model, no process, no clock. A secret may not be in it: the result is journaled. */
export function runPrompt(skill: Skill, values: Readonly<JsonObject>): PromptResult {
  const template = skill.promptTemplate ?? '';
  for (const name of placeNames(template)) {
    if (Object.hasOwn(values, name) && holdsSecret(values[name] ?? null)) {
      throw new WorkflowError(
        'PARAMETER_INVALID',
        `skill "${skill.name}": "${name}" is a secret; a prompt may not hold it`,
      );
    }
  }
  const declared = skill.parameters.map(({ name }) => name);
  const { text, unknown } = fillTemplate(template, values, declared);
  const warnings = unknown.map((name) => `{${name}} has no value and stays as it is`);
  return { result: { text, stdout: text }, warnings };
}
