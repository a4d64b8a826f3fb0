import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { Answers, StepAnswer } from '../answers/answers.ts';
import { ask, choose, type Flow } from '../question.ts';
import { valueText } from '../wiring.ts';
import { askValue, type Parameter } from './ask-value.ts';

/** What a step takes: the parameters that are known, and whether it takes others too. */
export interface Taken {
  readonly parameters: readonly Parameter[];
  readonly isOpen: boolean;
}

interface Scope {
  readonly answers: Answers;
  readonly earlier: readonly StepAnswer[];
  readonly ids: ReadonlySet<string>;
  readonly fault: (step: StepAnswer) => Promise<string | null>;
}

/** Asks for the inputs of a step, those that are required first, and answers the step with them. */
export function* askInputs(
  id: string,
  step: StepAnswer,
  { parameters, isOpen }: Taken,
  scope: Scope,
): Flow<StepAnswer> {
  let inputs: JsonObject = objectOf(step['inputs']);
  const withInputs = (given: JsonObject): StepAnswer => {
    const { inputs: _, ...rest } = step;
    return { ...rest, ...(Object.keys(given).length === 0 ? {} : { inputs: given }) } as StepAnswer;
  };
  const one = function* (parameter: Parameter): Flow<void> {
    const { name } = parameter;
    const { [name]: _, ...others } = inputs;
    const current = Object.hasOwn(inputs, name) ? inputs[name] : undefined;
    const fault = (value: Json): Promise<string | null> =>
      scope.fault(withInputs({ ...others, [name]: value }));
    const value = yield* askValue(`${id}/${name}`, parameter, { ...scope, fault }, current);
    // In its old place, so that an edited file keeps its order.
    inputs = value === undefined ? others : { ...inputs, [name]: value };
  };
  const known = new Set(parameters.map(({ name }) => name));
  for (const parameter of [...parameters].sort((a, b) => Number(b.isRequired) - Number(a.isRequired)))
    yield* one(parameter);
  if (!isOpen) return withInputs(inputs);
  for (let count = 0; ; count += 1) {
    const others = Object.keys(inputs).filter((name) => !known.has(name));
    const choice = yield* choose(`${id}/more/${count}`, 'Does it take a value?', [
      { value: 'no', name: others.length === 0 && known.size === 0 ? 'no' : 'no more' },
      { value: 'new', name: 'yes, one more' },
      ...others.map((name) => ({
        value: `change:${name}`,
        name: `change ${name}: ${valueText(inputs[name] ?? null)}`,
      })),
    ]);
    if (choice === 'no') return withInputs(inputs);
    const name = choice.startsWith('change:')
      ? choice.slice(7)
      : yield* askName(`${id}/more/${count}/name`, inputs, (each) =>
          scope.fault(withInputs({ ...inputs, [each]: null })),
        );
    yield* one({
      name,
      type: 'any',
      isRequired: false,
      default: undefined,
      values: null,
      pattern: null,
      description: '',
    });
  }
}

function* askName(
  id: string,
  inputs: JsonObject,
  fault: (name: string) => Promise<string | null>,
): Flow<string> {
  return yield* ask(id, 'Name of the value', {
    check: (reply) => {
      const name = reply.trim();
      if (!/^[A-Za-z_][A-Za-z0-9_-]{0,63}$/.test(name))
        return 'Write it with letters, digits, _ and -; it begins with a letter.';
      return Object.hasOwn(inputs, name) ? `"${name}" is there already.` : fault(name);
    },
  });
}

function objectOf(value: Json | undefined): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
