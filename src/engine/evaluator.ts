/**
 * What the engine needs from `expression/` and `definition/references`, handed in when it is made, so that the
 * interpreter can be tested and replayed without the expression language.
 */
import type { Json, JsonObject, Step } from '../definition/workflow.ts';

/** The values behind the names of an expression, at one place of a run. */
export interface Bindings {
  /** The index of the turn around this place, from 0; null outside loops. */
  readonly iteration: number | null;
  readonly mutable: JsonObject;
  readonly readonly: JsonObject;
  readonly inputs: JsonObject;
  /** The result of a step as seen from here; null when it was skipped or has none; undefined for an unknown id. */
  steps(id: string): Json | undefined;
  /** What an error handler sees as `error`, else null. */
  readonly error: JsonObject | null;
}

export interface ExpressionScope {
  readonly stepIds: ReadonlySet<string>;
}

export interface CompiledExpression {
  /** Ids of the steps that the source names. */
  readonly references: readonly string[];
  evaluate(bindings: Bindings): Json;
  /** Throws when the value is not a bool. */
  test(bindings: Bindings): boolean;
}

export interface CompiledTemplate {
  readonly references: readonly string[];
  render(bindings: Bindings): Json;
}

/** Compiling and evaluating throw an Error whose message is for the author of the workflow. */
export interface Evaluator {
  compileExpression(source: string, scope: ExpressionScope): CompiledExpression;
  compileTemplate(source: string, scope: ExpressionScope): CompiledTemplate;
  /** Ids that the step's own inputs, condition and templates name; not those of its inner steps. */
  stepReferences(step: Step, scope: ExpressionScope): readonly string[];
}
