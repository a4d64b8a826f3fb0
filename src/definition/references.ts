import { compileExpression, type Expression, loadExpressions, type Scope } from '../expression/expression.ts';
import { compileTemplate, type Template } from '../expression/template.ts';
import { scopeOf } from './file-scope.ts';
import { stepSources, templatesOf } from './sources.ts';
import { type HandlerRef, type InputValue, isLeafStep, type Step, type Workflow } from './workflow.ts';

const scopes = new WeakMap<Workflow, Scope>();
const expressions = new WeakMap<Scope, Map<string, Expression>>();
const templates = new WeakMap<Scope, Map<string, Template>>();
const references = new WeakMap<Step, readonly string[]>();

/** Loads what the expressions of a workflow need: nothing when it has none. Await it once before compiling. */
export async function prepareExpressions(workflow: Workflow): Promise<void> {
  await loadExpressions(allSteps(workflow).flatMap(stepSources));
}

/** The names that expressions of a workflow may use; computed once. */
export function workflowScope(workflow: Workflow): Scope {
  return remember(scopes, workflow, () =>
    scopeOf(workflow, new Set(allSteps(workflow).map((step) => step.id))),
  );
}

/** The compiled condition or `set` expression; compiled once a scope. Throws ExpressionError. */
export function expressionOf(source: string, scope: Scope): Expression {
  const known = remember(expressions, scope, () => new Map<string, Expression>());
  return rememberText(known, source, () => compileExpression(source, scope));
}

/** The compiled template of an input; compiled once a scope. Throws ExpressionError. */
export function templateOf(source: string, scope: Scope): Template {
  const known = remember(templates, scope, () => new Map<string, Template>());
  return rememberText(known, source, () => compileTemplate(source, scope));
}

/**
 * Ids of the steps whose results this step needs before it starts: those its own inputs and condition name, and those
 * of its `set`. Not its own id, nor ids of steps inside it, whose results come after the start.
 */
export function stepReferences(step: Step, scope: Scope): readonly string[] {
  return remember(references, step, () => {
    const own = new Set(withInner(step).map((inner) => inner.id));
    const named = new Set<string>();
    const conditions = step.type === 'conditional' || step.type === 'loop' ? [step.condition] : [];
    for (const source of [...conditions, ...Object.values(step.set)]) {
      for (const name of expressionOf(source, scope).references) named.add(name);
    }
    const stepIds = new Set([...named].filter((name) => scope.names?.has(name) !== true));
    if (isLeafStep(step)) {
      for (const input of Object.values(step.inputs)) addInput(input, scope, stepIds);
    }
    return [...stepIds].filter((id) => scope.stepIds.has(id) && !own.has(id));
  });
}

function addInput(input: InputValue, scope: Scope, found: Set<string>): void {
  switch (input.kind) {
    case 'ref':
      found.add(String(input.segments[0]));
      return;
    case 'array':
      for (const item of input.items) addInput(item, scope, found);
      return;
    case 'object':
      for (const item of Object.values(input.fields)) addInput(item, scope, found);
      return;
    case 'template':
      for (const source of templatesOf(input)) {
        for (const name of templateOf(source, scope).references) if (!scope.names?.has(name)) found.add(name);
      }
      return;
    case 'literal':
    case 'secret':
  }
}

/** Every step of the workflow: of the flow, of handlers, undo and rollback steps. */
export function allSteps(workflow: Workflow): readonly Step[] {
  const { default: fallback, perStep, rollback } = workflow.errorHandling;
  const policies = [fallback, ...Object.values(perStep)];
  const roots = [
    ...workflow.steps,
    ...workflow.handlers,
    ...[...policies.map((policy) => policy.handler), ...rollback.steps].flatMap(stepOf),
  ];
  return [...new Set(roots.flatMap(withInner))];
}

function withInner(step: Step): readonly Step[] {
  return [step, ...stepOf(step.undo).flatMap(withInner), ...childrenOf(step).flatMap(withInner)];
}

function stepOf(handler: HandlerRef | null): readonly Step[] {
  return handler === null ? [] : [handler.step];
}

/** The steps right inside a step. */
export function childrenOf(step: Step): readonly Step[] {
  switch (step.type) {
    case 'skill':
    case 'agent':
    case 'approval':
      return [];
    case 'parallel':
    case 'loop':
      return step.steps;
    case 'conditional':
      return [...step.then, ...step.else];
  }
}

function remember<K extends object, V>(map: WeakMap<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

function rememberText<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
