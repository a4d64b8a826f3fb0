import { stepReferences } from '../definition/references.ts';
import type { Workflow } from '../definition/workflow.ts';
import type { Evaluator } from '../engine/evaluator.ts';

/** What the engine evaluates with. The expression language is loaded only for a workflow that has an expression. */
export async function loadEvaluator(workflow: Workflow): Promise<Evaluator> {
  const sources = [...expressionSources(workflow)];
  if (sources.length === 0) return { compileExpression: unused, compileTemplate: unused, stepReferences };
  const [{ compileExpression, loadExpressions }, { compileTemplate }] = await Promise.all([
    import('../expression/expression.ts'),
    import('../expression/template.ts'),
  ]);
  await loadExpressions(sources);
  const { context, inputs } = workflow;
  const names = new Set([...Object.keys(context.mutable), ...Object.keys(context.readonly), ...Object.keys(inputs)]);
  return {
    compileExpression: (source, { stepIds }) => compileExpression(source, { stepIds, names }),
    compileTemplate: (source, { stepIds }) => compileTemplate(source, { stepIds, names }),
    stepReferences,
  };
}

/** Every condition, `set` expression and template of a workflow, wherever it stands in the model. */
function* expressionSources(workflow: Workflow): Generator<string> {
  const pending: unknown[] = [workflow];
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    if ('condition' in value && typeof value.condition === 'string') yield value.condition;
    if ('kind' in value && value.kind === 'template' && 'source' in value) yield String(value.source);
    if ('set' in value && typeof value.set === 'object' && value.set !== null)
      for (const source of Object.values(value.set)) yield String(source);
    for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) pending.push(inner);
  }
}

function unused(): never {
  throw new Error('this workflow was found to have no expressions');
}
