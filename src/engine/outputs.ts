/** What a step must give and may write before it counts as completed. */
import type { Json, JsonObject, LeafStep, Step } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Bindings } from './evaluator.ts';
import type { Plan } from './plan.ts';

/** Fields that every result of a command has; they are not the skill's own. */
const GIVEN_FIELDS: ReadonlySet<string> = new Set(['stderr', 'exit_code', 'duration_ms']);

/** Throws OUTPUT_MISSING unless every declared output is in the result. Text was named by whoever ran the skill. */
export function checkOutputs(step: Pick<LeafStep, 'outputs'>, result: JsonObject): void {
  const absent = step.outputs.filter((name) => !Object.hasOwn(result, name));
  if (absent.length === 0) return;
  const ownFields = Object.keys(result).filter((field) => !GIVEN_FIELDS.has(field));
  const had = ownFields.length === 0 ? 'no fields of its own' : `only ${ownFields.slice(0, 10).join(', ')}`;
  const outputs = absent.length === 1 ? 'output' : 'outputs';
  const cut = result['stdout_truncated'] === true ? ' What it printed is too long to be read whole.' : '';
  const verb = absent.length === 1 ? 'is' : 'are';
  throw new WorkflowError(
    'OUTPUT_MISSING',
    `The declared ${outputs} ${absent.join(', ')} ${verb} missing; the result has ${had}.${cut}`,
    { details: { missing: absent } },
  );
}

/**
 * The context values that a step writes: `writes` from its result, then `set` in the order written, each seeing the
 * ones before. Throws OUTPUT_MISSING, CONTEXT_WRITE_DENIED, and whatever an expression throws.
 */
export function collectWrites(step: Step, result: Json, bindings: Bindings, plan: Plan): JsonObject {
  const written: JsonObject = {};
  for (const name of step.writes) {
    refuseUnlessAllowed(step, name, plan);
    written[name] = resultField(step, result, name);
  }
  const expressions = Object.entries(step.set);
  if (expressions.length === 0) return written;
  const mutable = { ...bindings.mutable, ...written };
  for (const [name, source] of expressions) {
    refuseUnlessAllowed(step, name, plan);
    const value = plan.expression(source).evaluate({ ...bindings, mutable });
    written[name] = value;
    mutable[name] = value;
  }
  return written;
}

function resultField(step: Step, result: Json, name: string): Json {
  const isObject = result !== null && typeof result === 'object' && !Array.isArray(result);
  const value = isObject && Object.hasOwn(result, name) ? result[name] : undefined;
  if (value !== undefined) return value;
  throw new WorkflowError('OUTPUT_MISSING', `${step.id} writes ${name}, but its result has no such field.`, {
    details: { missing: [name] },
  });
}

function refuseUnlessAllowed(step: Step, name: string, plan: Plan): void {
  const { access, mutable, readonly } = plan.workflow.context;
  const allowed = Object.hasOwn(access, name) ? access[name] : undefined;
  const isReadonly = Object.hasOwn(readonly, name) && !Object.hasOwn(mutable, name);
  if (!isReadonly && (allowed === undefined || allowed.includes(step.id))) return;
  const why = isReadonly ? 'it is readonly' : `only ${allowed?.join(', ') || 'no step'} may write it`;
  throw new WorkflowError('CONTEXT_WRITE_DENIED', `${step.id} may not write ${name}: ${why}.`, {
    details: { name },
  });
}
