/** Fills in the inputs of a leaf: references resolved, templates rendered, secrets left as names. */
import type { InputValue, Json, JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Bindings } from './evaluator.ts';
import type { Plan } from './plan.ts';

/**
 * Throws REFERENCE_MISSING for a field that is not there, PARAMETER_INVALID for data that looks like a secret, and
 * whatever a template throws.
 */
export function fillInputs(
  inputs: Readonly<Record<string, InputValue>>,
  bindings: Bindings,
  plan: Plan,
): JsonObject {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, fill(value, bindings, plan)]),
  );
}

/** Recursion is as deep as the file's own JSON, which the loader bounds. */
function fill(value: InputValue, bindings: Bindings, plan: Plan): Json {
  switch (value.kind) {
    case 'literal':
      return asData(value.value);
    case 'secret':
      return { $secret: value.name };
    case 'template':
      return asData(plan.template(value.source).render(bindings));
    case 'array':
      return value.items.map((item) => fill(item, bindings, plan));
    case 'object': {
      const filled = fillInputs(value.fields, bindings, plan);
      refuseSecretForm(filled);
      return filled;
    }
    case 'ref':
      return asData(follow(value.source, value.segments, bindings, plan));
  }
}

/**
 * Data is never taken for a secret: else a skill that prints `{"$secret": "TOKEN"}` could have the value handed to
 * any step that refers to its result.
 */
function asData(value: Json): Json {
  const rest: Json[] = [value];
  for (let at = rest.pop(); at !== undefined; at = rest.pop()) {
    if (typeof at !== 'object' || at === null) continue;
    refuseSecretForm(at);
    for (const inner of Object.values(at)) if (typeof inner === 'object') rest.push(inner);
  }
  return value;
}

function refuseSecretForm(value: Json[] | JsonObject): void {
  if (Array.isArray(value)) return;
  const { $secret: name } = value;
  if (typeof name !== 'string' || Object.keys(value).length !== 1) return;
  throw new WorkflowError(
    'PARAMETER_INVALID',
    `a value has the form of a secret, {"$secret": ${JSON.stringify(name)}}; only {"secret": …} in the file asks for one`,
  );
}

type Segments = readonly (string | number)[];

function follow(source: string, segments: Segments, bindings: Bindings, plan: Plan): Json {
  const [first, ...rest] = segments;
  if (first === 'context') return followContext(source, rest, bindings);
  if (first === 'inputs') return followInputs(source, rest, bindings, plan);
  if (first === 'error') return walk(source, bindings.error, rest);
  if (first === 'iteration') return walk(source, bindings.iteration, rest);
  const result = bindings.steps(String(first));
  if (result === undefined) throw missing(source, `no step is called ${String(first)}`);
  return walk(source, result, rest);
}

/** `context.name` takes the mutable value first; `context.mutable.name` and `context.readonly.name` are explicit. */
function followContext(source: string, segments: Segments, bindings: Bindings): Json {
  const { mutable, readonly } = bindings;
  const [name] = segments;
  if (name === undefined) return { ...readonly, ...mutable };
  if (typeof name === 'string') {
    if (Object.hasOwn(mutable, name)) return walk(source, mutable, segments);
    if (Object.hasOwn(readonly, name)) return walk(source, readonly, segments);
  }
  return walk(source, { mutable, readonly }, segments);
}

/** An input that is declared and was not given is null. */
function followInputs(source: string, segments: Segments, bindings: Bindings, plan: Plan): Json {
  const [name] = segments;
  const isDeclared = typeof name === 'string' && Object.hasOwn(plan.workflow.inputs, name);
  if (isDeclared && !Object.hasOwn(bindings.inputs, name)) return null;
  return walk(source, bindings.inputs, segments);
}

/** A field of null is null: what was skipped has nothing. */
function walk(source: string, from: Json, segments: Segments): Json {
  let at = from;
  for (const segment of segments) {
    if (at === null) return null;
    const next = fieldOf(at, segment);
    if (next === undefined) throw missing(source, `${kindOf(at)} has no ${JSON.stringify(segment)}`);
    at = next;
  }
  return at;
}

function fieldOf(value: Json, segment: string | number): Json | undefined {
  if (Array.isArray(value)) return value[Number(segment)];
  if (value === null || typeof value !== 'object') return undefined;
  return Object.hasOwn(value, segment) ? value[segment] : undefined;
}

function kindOf(value: Json): string {
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (value === null || typeof value !== 'object') return `a ${value === null ? 'null' : typeof value}`;
  const names = Object.keys(value);
  return names.length === 0 ? 'an object without fields' : `an object with ${names.slice(0, 10).join(', ')}`;
}

function missing(source: string, why: string): WorkflowError {
  return new WorkflowError('REFERENCE_MISSING', `${source}: ${why}`, { details: { reference: source } });
}
