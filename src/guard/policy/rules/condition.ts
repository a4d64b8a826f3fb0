import type { JsonObject } from '../../../definition/workflow.ts';
import {
  type Bindings,
  compileExpression,
  type Expression,
  ExpressionError,
  type Scope,
} from '../../../expression/expression.ts';
import { DEFAULT_ENVIRONMENT, type GuardedCall } from '../calls/call.ts';

/** `true` and `false`, or `error` when it cannot be evaluated for this call. */
export type ConditionResult = boolean | 'error';

export type Condition = (call: GuardedCall, tool: string) => ConditionResult;

const NAMES: ReadonlySet<string> = new Set(['tool', 'args', 'agent', 'workflow', 'step', 'env']);

const SCOPE: Scope = { stepIds: new Set(), names: NAMES, hasError: false, hasIteration: false };

/** Compiles the `when` of a rule. Throws ExpressionError. `loadExpressions` comes first. */
export function compileCondition(source: string): Condition {
  const expression = compileExpression(source, SCOPE);
  expression.assertCondition();
  return (call, tool) => test(expression, bindingsOf(call, tool));
}

function test(expression: Expression, bindings: Bindings): ConditionResult {
  try {
    return expression.test(bindings);
  } catch (error) {
    if (error instanceof ExpressionError) return 'error';
    throw error;
  }
}

function bindingsOf(call: GuardedCall, tool: string): Bindings {
  const inputs: JsonObject = {
    tool,
    args: call.args,
    agent: call.agent,
    workflow: call.workflow,
    step: call.step,
    env: { name: call.environment ?? DEFAULT_ENVIRONMENT },
  };
  return { iteration: null, mutable: {}, readonly: {}, inputs, steps: () => undefined };
}
