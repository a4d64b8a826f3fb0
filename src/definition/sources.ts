import { isTemplate, templateSources } from '../expression/template.ts';
import { inputsOf, type StepFile } from './file.ts';
import { type InputValue, isLeafStep, type Json, type Step } from './workflow.ts';

/** The expressions that a step of the file holds itself, not those of the steps inside it. */
export function fileSources(step: StepFile): readonly string[] {
  const condition = step.type === 'conditional' || step.type === 'loop' ? [step.condition] : [];
  const inputs = stringsOf(inputsOf(step));
  return [
    ...condition,
    ...Object.values(step.set ?? {}),
    ...inputs.filter(isTemplate).flatMap(templateSources),
  ];
}

/** The expressions that a step of the model holds itself. */
export function stepSources(step: Step): readonly string[] {
  const condition = step.type === 'conditional' || step.type === 'loop' ? [step.condition] : [];
  const inputs = isLeafStep(step) ? Object.values(step.inputs) : [];
  const templates = inputs.flatMap(templatesOf).flatMap(templateSources);
  return [...condition, ...Object.values(step.set), ...templates];
}

/** The templates inside an input, at any depth. */
export function templatesOf(value: InputValue): readonly string[] {
  switch (value.kind) {
    case 'template':
      return [value.source];
    case 'array':
      return value.items.flatMap(templatesOf);
    case 'object':
      return Object.values(value.fields).flatMap(templatesOf);
    case 'literal':
    case 'ref':
    case 'secret':
      return [];
  }
}

function stringsOf(value: Json): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(stringsOf);
}
