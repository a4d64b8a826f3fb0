import { stepReferences } from '../definition/references.ts';
import type { Workflow } from '../definition/workflow.ts';
import type { Evaluator } from '../engine/evaluator.ts';

/** What the engine evaluates with. The expression language is loaded only for a workflow that has an expression. */
export async function loadEvaluator(workflow: Workflow): Promise<Evaluator> {
  if (!usesExpressions(workflow)) return { compileExpression: unused, compileTemplate: unused, stepReferences };
  const { compileExpression, compileTemplate } = await import('../expression/expression.ts');
  return { compileExpression, compileTemplate, stepReferences };
}

function unused(): never {
  throw new Error('this workflow was found to have no expressions');
}

/** True when any step has a condition, a `set` or a template. */
function usesExpressions(workflow: Workflow): boolean {
  // The forms are plain JSON: a search of the text cannot miss one, and a literal that looks like one costs only time.
  const text = JSON.stringify(workflow);
  if (text.includes('"condition"') || text.includes('"kind":"template"')) return true;
  return /"set":\{"/.test(text);
}

