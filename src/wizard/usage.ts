import { loadWorkflow } from '../definition/load.ts';
import { allSteps, prepareExpressions, stepReferences, workflowScope } from '../definition/references.ts';
import { type Answers, flattened, type StepAnswer } from './answers/answers.ts';
import { definitionOf } from './definition.ts';

/**
 * The steps that need a step or one inside it, by id: those that name its result, or whose handler or undo step it is.
 * The answers have to make a valid workflow.
 */
export async function usersOf(step: StepAnswer, answers: Answers): Promise<readonly string[]> {
  const { workflow } = await loadWorkflow(JSON.stringify(definitionOf(answers)));
  if (workflow === null) return [];
  await prepareExpressions(workflow);
  const scope = workflowScope(workflow);
  const gone = new Set(flattened([step]).map(({ id }) => id));
  const others = allSteps(workflow).filter(({ id }) => !gone.has(id));
  const naming = others.filter((each) => stepReferences(each, scope).some((id) => gone.has(id)));
  const undone = others.filter(({ undo }) => undo !== null && gone.has(undo.id));
  const { perStep, rollback } = workflow.errorHandling;
  const handled = Object.entries(perStep).filter(
    ([id, { handler }]) => !gone.has(id) && handler !== null && gone.has(handler.id),
  );
  const rolledBack = rollback.steps.some(({ id }) => gone.has(id)) ? ['rollback'] : [];
  return [
    ...new Set(
      [...naming, ...undone]
        .map(({ id }) => id)
        .concat(
          handled.map(([id]) => id),
          rolledBack,
        ),
    ),
  ];
}
