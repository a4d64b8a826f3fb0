/**
 * A workflow prepared for interpretation: where each step stands, what it names, its compiled expressions (compiled
 * at first use: a run pays only for what it reaches) and its error policy.
 */
import {
  type CompositeStep,
  type ErrorPolicy,
  type HandlerRef,
  isLeafStep,
  type Step,
  type StepType,
  type Workflow,
} from '../definition/workflow.ts';
import type { CompiledExpression, CompiledTemplate, Evaluator, ExpressionScope } from './evaluator.ts';

export interface Place {
  /** Ids of the composites around it, outermost first; empty at the top and for handlers. */
  readonly ancestors: readonly string[];
  /** Position in the file, for starting waiting steps in document order. */
  readonly position: number;
}

export interface Plan {
  readonly workflow: Workflow;
  /** The steps of the normal flow: one that is named as a handler runs only as such. */
  readonly flow: readonly Step[];
  placeOf(id: string): Place | undefined;
  /** Ids of steps that the step waits for when they are async and still running. */
  referencesOf(step: Step): readonly string[];
  expression(source: string): CompiledExpression;
  template(source: string): CompiledTemplate;
  ownPolicy(id: string): ErrorPolicy | undefined;
}

/** Prepares a workflow. Compiles nothing yet. */
export function createPlan(workflow: Workflow, evaluator: Evaluator): Plan {
  const serving = servingSteps(workflow);
  const handlerIds = new Set(serving.map((ref) => ref.id));
  const flow = workflow.steps.filter((step) => !handlerIds.has(step.id));
  const places = placeAll([...flow, ...serving.map((ref) => ref.step), ...workflow.handlers]);
  const scope: ExpressionScope = { stepIds: new Set(places.keys()) };
  const expressions = new Map<string, CompiledExpression>();
  const templates = new Map<string, CompiledTemplate>();
  const references = new Map<Step, readonly string[]>();
  const expression = (source: string): CompiledExpression =>
    remembered(expressions, source, () => evaluator.compileExpression(source, scope));

  return {
    workflow,
    flow,
    placeOf: (id) => places.get(id),
    referencesOf: (step) =>
      remembered(references, step, () => [
        ...new Set([
          ...evaluator.stepReferences(step, scope),
          ...Object.values(step.set).flatMap((source) => referencesIn(expression, source)),
        ]),
      ]),
    expression,
    template: (source) => remembered(templates, source, () => evaluator.compileTemplate(source, scope)),
    ownPolicy: (id) =>
      Object.hasOwn(workflow.errorHandling.perStep, id) ? workflow.errorHandling.perStep[id] : undefined,
  };
}

/** The handler called `name` that the policy of a step, or the default, has. */
export function policyHandlerOf(plan: Plan, stepId: string, name: string): HandlerRef | undefined {
  const policies = [plan.ownPolicy(stepId), plan.workflow.errorHandling.default];
  return policies.find((policy) => policy?.handler?.id === name)?.handler ?? undefined;
}

/** Steps of a composite, of whichever branch. */
export function innerSteps(step: Step): readonly Step[] {
  if (step.type === 'conditional') return [...step.then, ...step.else];
  return step.type === 'parallel' || step.type === 'loop' ? step.steps : [];
}

const COMPOSITES: ReadonlySet<StepType> = new Set(['parallel', 'conditional', 'loop']);

export function isComposite(step: Step): step is CompositeStep {
  return COMPOSITES.has(step.type);
}

/** True when the flow goes on while the step runs. */
export function runsBeside(step: Step): boolean {
  if (step.type === 'parallel') return step.waitFor === 'none';
  return isLeafStep(step) && step.isAsync;
}

/** An expression that does not compile fails where it is evaluated, as its step's failure. */
function referencesIn(compile: (source: string) => CompiledExpression, source: string): readonly string[] {
  try {
    return compile(source).references;
  } catch (error) {
    if (error instanceof Error) return [];
    throw error;
  }
}

/** Handlers, undo steps and rollback steps that the workflow names, wherever. */
function servingSteps(workflow: Workflow): HandlerRef[] {
  const { errorHandling } = workflow;
  const policies = [errorHandling.default, ...Object.values(errorHandling.perStep)];
  const found: HandlerRef[] = [
    ...policies.flatMap((policy) => policy.handler ?? []),
    ...errorHandling.rollback.steps,
  ];
  const seen = new Set<Step>();
  const rest = [...workflow.steps, ...workflow.handlers, ...found.map((ref) => ref.step)];
  for (let step = rest.pop(); step !== undefined; step = rest.pop()) {
    if (seen.has(step)) continue;
    seen.add(step);
    rest.push(...innerSteps(step));
    if (step.undo === null) continue;
    found.push(step.undo);
    rest.push(step.undo.step);
  }
  return found;
}

/** The first place wins when a step is reached twice, as a handler that several steps share is. */
function placeAll(roots: readonly Step[]): Map<string, Place> {
  const places = new Map<string, Place>();
  const rest: { readonly step: Step; readonly ancestors: readonly string[] }[] = [];
  for (const step of [...roots].reverse()) rest.push({ step, ancestors: [] });
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const { step, ancestors } = next;
    if (places.has(step.id)) continue;
    places.set(step.id, { ancestors, position: places.size });
    const around = isComposite(step) ? [...ancestors, step.id] : ancestors;
    for (const inner of [...innerSteps(step)].reverse()) rest.push({ step: inner, ancestors: around });
  }
  return places;
}

function remembered<Key, Value>(known: Map<Key, Value>, key: Key, make: () => Value): Value {
  const old = known.get(key);
  if (old !== undefined) return old;
  const value = make();
  known.set(key, value);
  return value;
}
