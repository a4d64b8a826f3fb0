/** Answers to the workflow file and back. What one makes the other reads again, key by key. */
import type { PolicyFile } from '../definition/file.ts';
import type { Json, JsonObject } from '../definition/workflow.ts';
import {
  type Answers,
  flattened,
  INNER_KEYS,
  innerSteps,
  type StepAnswer,
  textOf,
} from './answers/answers.ts';

/** The workflow file that the answers make. Whether it is valid says the loader of workflow files. */
export function definitionOf(answers: Answers): JsonObject {
  const { $schema, ...kept } = answers.kept;
  return {
    ...($schema === undefined ? {} : { $schema }),
    name: answers.name,
    version: answers.version,
    ...(answers.purpose === '' ? {} : { description: answers.purpose }),
    ...list('triggers', answers.triggers as readonly Json[]),
    ...object('inputs', answers.inputs as JsonObject),
    ...object('context', answers.context as JsonObject),
    steps: answers.steps.map(stepFile),
    ...kept,
    ...object('error_handling', errorHandling(answers)),
    ...object('resource_limits', answers.limits as JsonObject),
  };
}

/** The answers that make this definition. It has to be valid: only then its parts have the shapes that are taken here. */
export function answersOf(definition: JsonObject): Answers {
  const { name, version, description, triggers, inputs, context, steps, resource_limits, ...others } =
    definition;
  const { error_handling, ...rest } = others;
  const { default: fallback, per_step, ...otherHandling } = asObject(error_handling);
  const policies = { ...asObject(per_step) };
  const read = asList(steps).map((step) => stepAnswer(step, policies));
  for (const { id } of flattened(read)) delete policies[id];
  const handling = { ...object('per_step', policies), ...otherHandling };
  return {
    name: textOf(name),
    version: textOf(version),
    purpose: typeof description === 'string' ? description : '',
    inputs: asObject(inputs) as Answers['inputs'],
    context: asObject(context) as Answers['context'],
    triggers: asList(triggers) as unknown as Answers['triggers'],
    limits: asObject(resource_limits) as Answers['limits'],
    on_error: (fallback ?? null) as PolicyFile | null,
    steps: read,
    new_skills: {},
    kept: { ...rest, ...object('error_handling', handling) },
  };
}

function stepFile(step: StepAnswer): JsonObject {
  const { on_error: _, ...file } = step;
  for (const key of INNER_KEYS[step.type])
    if (file[key] !== undefined) file[key] = innerSteps(step, key).map(stepFile);
  return file;
}

function stepAnswer(file: JsonObject, policies: JsonObject): StepAnswer {
  const step = file as StepAnswer;
  const inner = INNER_KEYS[step.type].flatMap((key) =>
    step[key] === undefined
      ? []
      : [[key, asList(step[key]).map((each) => stepAnswer(each, policies))] as const],
  );
  const policy = Object.hasOwn(policies, step.id) ? policies[step.id] : undefined;
  return { ...step, ...Object.fromEntries(inner), ...(policy === undefined ? {} : { on_error: policy }) };
}

function errorHandling({ on_error: fallback, steps, kept }: Answers): JsonObject {
  const { per_step, ...others } = asObject(kept['error_handling']);
  const own = flattened(steps).flatMap(({ id, on_error: policy }) =>
    policy === undefined ? [] : [[id, policy] as const],
  );
  return {
    ...(fallback === null ? {} : { default: fallback as Json }),
    ...object('per_step', { ...Object.fromEntries(own), ...asObject(per_step) }),
    ...others,
  };
}

function object(key: string, value: JsonObject): JsonObject {
  return Object.keys(value).length === 0 ? {} : { [key]: value };
}

function list(key: string, value: readonly Json[]): JsonObject {
  return value.length === 0 ? {} : { [key]: [...value] };
}

function asObject(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function asList(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}
