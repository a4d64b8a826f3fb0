import {
  expressionOf,
  prepareExpressions,
  stepReferences,
  templateOf,
  workflowScope,
} from '../definition/references.ts';
import type { Workflow } from '../definition/workflow.ts';
import type { Evaluator } from '../engine/evaluator.ts';

/** What the engine evaluates with. The expression language is loaded only for a workflow that has an expression. */
export async function loadEvaluator(workflow: Workflow): Promise<Evaluator> {
  await prepareExpressions(workflow);
  const scope = workflowScope(workflow);
  return {
    compileExpression: (source) => expressionOf(source, scope),
    compileTemplate: (source) => templateOf(source, scope),
    stepReferences: (step) => stepReferences(step, scope),
  };
}
