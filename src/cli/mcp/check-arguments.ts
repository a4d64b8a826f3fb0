import type { Json, JsonObject } from '../../definition/workflow.ts';
import { didYouMean, nearest } from '../../errors/nearest.ts';
import { type Problem, WorkflowError } from '../../errors/workflow-error.ts';
import type { ArgumentSchema, Tool } from './tool.ts';

/** The JSON Schema of what a tool takes, as clients get it. */
export function inputSchema({ arguments: properties, required }: Tool): JsonObject {
  return { type: 'object', properties, required, additionalProperties: false } as unknown as JsonObject;
}

/** Checks what a client gave against that schema. Throws USAGE that names every problem, in words for a model. */
export function checkArguments(tool: Tool, given: unknown): JsonObject {
  const values = given ?? {};
  if (typeof values !== 'object' || Array.isArray(values))
    throw usage(tool, [problem('$', 'no JSON object')]);
  // Read from JSON by the transport.
  const args = values as JsonObject;
  const known = Object.keys(tool.arguments);
  const problems = [
    ...tool.required
      .filter((name) => !Object.hasOwn(args, name))
      .map((name) => problem(name, 'is required and was not given')),
    ...Object.entries(args).flatMap(([name, value]): Problem[] => {
      const schema = Object.hasOwn(tool.arguments, name) ? tool.arguments[name] : undefined;
      if (schema === undefined)
        return [
          problem(name, `is no argument of it${didYouMean(nearest(name, known))}; there are ${list(known)}`),
        ];
      const wrong = wrongValue(schema, value);
      return wrong === null ? [] : [problem(name, wrong)];
    }),
  ];
  if (problems.length > 0) throw usage(tool, problems);
  return args;
}

/** The text of an argument that was checked; null when it was not given. */
export function textOf(given: JsonObject, name: string): string | null {
  const value = given[name];
  return typeof value === 'string' ? value : null;
}

function wrongValue(schema: ArgumentSchema, value: Json): string | null {
  const not = `not ${JSON.stringify(value).slice(0, MAX_QUOTED)}`;
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string') return `must be a text, ${not}`;
      if (schema.enum !== undefined && !schema.enum.includes(value))
        return `must be one of ${schema.enum.join(', ')}, ${not}`;
      return value.length > (schema.maxLength ?? MAX_TEXT)
        ? `must have at most ${schema.maxLength ?? MAX_TEXT} characters, not ${value.length}`
        : null;
    case 'integer':
      return Number.isInteger(value) && Number(value) >= schema.minimum && Number(value) <= schema.maximum
        ? null
        : `must be a whole number from ${schema.minimum} to ${schema.maximum}, ${not}`;
    case 'boolean':
      return typeof value === 'boolean' ? null : `must be true or false, ${not}`;
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value)
        ? null
        : `must be a JSON object, ${not}`;
  }
}

const MAX_QUOTED = 60;
/** Names, ids, paths and expressions: none is longer. */
const MAX_TEXT = 4096;

function list(names: readonly string[]): string {
  return names.length === 0 ? 'none' : names.join(', ');
}

function problem(path: string, message: string): Problem {
  return { severity: 'error', path, message };
}

function usage(tool: Tool, problems: readonly Problem[]): WorkflowError {
  return new WorkflowError('USAGE', `${tool.name} cannot be called with these arguments`, {
    problems,
    hint: `It takes ${list(Object.keys(tool.arguments))}; tools/list has its schema.`,
  });
}
