/** What a new definition asks of the values that the run began with; it keeps them as they are. */
import { inputTypeOf } from '../definition/input-type.ts';
import type { InputDeclaration, Json, JsonObject, Workflow } from '../definition/workflow.ts';
import type { ContextValues } from './events.ts';

interface ValueMismatch {
  readonly path: string;
  readonly message: string;
}

interface Kept {
  readonly before: Workflow;
  readonly inputs: JsonObject;
  readonly context: ContextValues;
}

/** Context values and inputs that the run does not have, and inputs that are of another type now. */
export function compareValues(after: Workflow, { before, inputs, context }: Kept): ValueMismatch[] {
  const found: ValueMismatch[] = [];
  for (const kind of ['readonly', 'mutable'] as const)
    for (const name of Object.keys(after.context[kind]))
      if (!Object.hasOwn(context[kind], name))
        found.push({
          path: `$.context.${kind}.${name}`,
          message: 'the run began without this context value',
        });
  for (const [name, declaration] of Object.entries(after.inputs)) {
    const isSame = Object.hasOwn(before.inputs, name) && before.inputs[name]?.type === declaration.type;
    const value = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    const message = mismatchOf(declaration, value, isSame);
    if (message !== null) found.push({ path: `$.inputs.${name}`, message });
  }
  return found;
}

/** Null is an input that was not given, without a default, or null as its default; undefined one that was not declared. */
function mismatchOf(
  declaration: InputDeclaration,
  value: Json | undefined,
  isSameType: boolean,
): string | null {
  const { type, isRequired, default: usual = null } = declaration;
  if (value === undefined || (value === null && type !== 'any'))
    return isRequired || usual !== null ? 'the run began without this input' : null;
  const actual = inputTypeOf(value);
  if (isSameType || type === 'any' || actual === type) return null;
  return `the run began with a value of the type ${actual}, and it is ${type} now`;
}
