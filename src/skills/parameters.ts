import { isDeepStrictEqual } from 'node:util';
import type { Json, JsonObject } from '../definition/workflow.ts';
import { nearest } from '../errors/nearest.ts';
import { ensureError, type Problem, WorkflowError } from '../errors/workflow-error.ts';
import { describe } from './fields.ts';
import type { PatternTest } from './patterns.ts';
import { holdsSecret } from './secrets.ts';
import type { Skill, SkillParameter } from './skill.ts';

/**
 * The values a skill runs with: its inputs checked against its parameters, defaults filled in. Throws
 * PARAMETER_INVALID with every problem found. A skill that declares none takes any inputs as they are.
 *
 * Null counts as not given (a skipped step's outputs are null). A number or boolean given for a string is turned to
 * its text; a text given for a number or boolean is an error: it is more often a mistake than a wish. A secret
 * (`{"$secret": …}`) passes unchecked for a string: its value is not known here. `matches` is needed only when a
 * parameter has a pattern: see `loadPatternTest`.
 */
export function validateParameters(
  skill: Skill,
  inputs: Readonly<JsonObject>,
  matches: PatternTest | null = null,
): JsonObject {
  if (skill.parameters.length === 0) return { ...inputs };
  const problems: Problem[] = [];
  const values: [string, Json][] = [];
  for (const parameter of skill.parameters) {
    const given = Object.hasOwn(inputs, parameter.name) ? (inputs[parameter.name] ?? undefined) : undefined;
    const value = given ?? parameter.default;
    const path = `$.inputs.${parameter.name}`;
    if (value === undefined || value === null) {
      if (parameter.isRequired)
        problems.push(problem(path, `"${parameter.name}" is required (${parameter.type})`));
      continue;
    }
    const checked = checkValue(parameter, value, matches);
    if ('wrong' in checked) problems.push(problem(path, `"${parameter.name}" ${checked.wrong}`));
    else values.push([parameter.name, checked.value]);
  }
  problems.push(...unknownInputs(skill, inputs));
  if (problems.length > 0) {
    const listed = problems.map(({ message }) => message).join('; ');
    throw new WorkflowError('PARAMETER_INVALID', `skill "${skill.name}": ${listed}`, { problems });
  }
  return Object.fromEntries(values);
}

/** True when `validateParameters` needs a matcher for this skill. */
export function hasPatterns(skill: Skill): boolean {
  return skill.parameters.some((parameter) => parameter.pattern !== null);
}

type Checked = { readonly value: Json } | { readonly wrong: string };

function checkValue(parameter: SkillParameter, given: Json, matches: PatternTest | null): Checked {
  if (holdsSecret(given) && parameter.type !== 'number' && parameter.type !== 'boolean')
    return { value: given };
  const typed = coerce(parameter, given);
  if ('wrong' in typed) return typed;
  const { value } = typed;
  if (parameter.values !== null && !parameter.values.some((allowed) => isDeepStrictEqual(allowed, value))) {
    const allowed = parameter.values.map((item) => JSON.stringify(item)).join(', ');
    return { wrong: `must be one of ${allowed}, not ${describe(given)}` };
  }
  if (parameter.pattern !== null && typeof value === 'string')
    return checkPattern(parameter.pattern, value, matches);
  return { value };
}

function coerce(parameter: SkillParameter, value: Json): Checked {
  switch (parameter.type) {
    case 'string':
      if (typeof value === 'string') return { value };
      if (typeof value === 'number' || typeof value === 'boolean') return { value: String(value) };
      break;
    case 'number':
      if (typeof value === 'number' && Number.isFinite(value)) return { value };
      break;
    case 'boolean':
      if (typeof value === 'boolean') return { value };
      break;
    case 'object':
      if (typeof value === 'object' && !Array.isArray(value)) return { value };
      break;
    case 'array':
      if (Array.isArray(value)) return { value };
      break;
    case 'enum': {
      const isText = parameter.values?.every((allowed) => typeof allowed === 'string') ?? false;
      return { value: isText && typeof value === 'number' ? String(value) : value };
    }
  }
  return { wrong: `must be of type ${parameter.type}, not ${describe(value)}` };
}

function checkPattern(pattern: string, value: string, matches: PatternTest | null): Checked {
  if (matches === null)
    throw new WorkflowError('INTERNAL', 'a pattern is to be checked, but no matcher was loaded');
  try {
    return matches(pattern, value)
      ? { value }
      : { wrong: `must match ${pattern}, ${describe(value)} does not` };
  } catch (error) {
    const { message } = ensureError(error);
    if (error instanceof RangeError) return { wrong: `cannot be checked by its pattern: ${message}` };
    return { wrong: `has a pattern that is not understood: ${message}` };
  }
}

function unknownInputs(skill: Skill, inputs: Readonly<JsonObject>): Problem[] {
  const names = skill.parameters.map(({ name }) => name);
  return Object.keys(inputs)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const suggestion = nearest(name, names) ?? null;
      const hint =
        suggestion === null ? `known are ${names.join(', ') || 'none'}` : `did you mean "${suggestion}"?`;
      const base = problem(`$.inputs.${name}`, `"${name}" is no parameter of it; ${hint}`);
      return suggestion === null ? base : { ...base, suggestion };
    });
}

function problem(path: string, message: string): Problem {
  return { severity: 'error', path, message };
}
