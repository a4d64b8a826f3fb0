import type { Json, JsonObject } from '../definition/workflow.ts';
import { EvaluationFault } from './expression-error.ts';

/** The values an expression sees. A bare name is looked up in the order of the fields. */
export interface Bindings {
  /** The turn of the nearest loop, from 0; null outside loops. */
  readonly iteration: number | null;
  readonly mutable: JsonObject;
  readonly readonly: JsonObject;
  readonly inputs: JsonObject;
  /** The result of a step: null when it was skipped, undefined when it has none yet. */
  readonly steps: (id: string) => Json | undefined;
  /** What a handler sees of the failure it handles; else null or absent. */
  readonly error?: JsonObject | null;
}

/** The value of a bare name, or undefined. */
export function lookUp(name: string, bindings: Bindings): Json | undefined {
  if (name === 'iteration') return bindings.iteration;
  for (const values of [bindings.mutable, bindings.readonly, bindings.inputs]) {
    if (Object.hasOwn(values, name)) return values[name];
  }
  return undefined;
}

export function stepResult(id: string, bindings: Bindings, at: number): Json {
  const result = bindings.steps(id);
  if (result === undefined) throw new EvaluationFault(`step "${id}" has no result yet`, at);
  return result;
}

/** `context` as a value: `readonly`, `mutable`, and all names directly, mutable first. */
export function contextValue(bindings: Bindings): JsonObject {
  return {
    ...bindings.readonly,
    ...bindings.mutable,
    readonly: bindings.readonly,
    mutable: bindings.mutable,
  };
}
