import type { Json, JsonObject } from '../../definition/workflow.ts';
import { type Answers, type StepAnswer, textOf } from '../answers/answers.ts';
import { ask, choose, type Flow } from '../question.ts';

/** Asks which shared values a step changes when it has succeeded; nothing is asked where there are none to change. */
export function* askSet(
  id: string,
  step: StepAnswer,
  { mutable = {} }: Answers['context'],
  fault: (step: StepAnswer) => Promise<string | null>,
): Flow<StepAnswer> {
  const names = Object.keys(mutable);
  let asked = step;
  for (let count = 0; names.length > 0; count += 1) {
    const { set, ...bare } = asked;
    const before: JsonObject = typeof set === 'object' && set !== null && !Array.isArray(set) ? set : {};
    const setTo = (name: string): Json | undefined =>
      Object.hasOwn(before, name) ? before[name] : undefined;
    const chosen = yield* choose(`${id}/${count}`, 'Does it change a shared value when it has succeeded?', [
      { value: 'no', name: count === 0 && set === undefined ? 'no' : 'no more' },
      ...names.map((name) => ({
        value: `set:${name}`,
        name: setTo(name) === undefined ? `set ${name}` : `${name} is set to ${textOf(setTo(name))}`,
      })),
    ]);
    if (chosen === 'no') return asked;
    const name = chosen.slice('set:'.length);
    const { [name]: _, ...others } = before;
    const current = setTo(name);
    const withSet = (expression: string): StepAnswer => {
      const changed = expression === '-' ? others : { ...before, [name]: expression };
      return { ...bare, ...(Object.keys(changed).length === 0 ? {} : { set: changed }) } as StepAnswer;
    };
    const expression = yield* ask(
      `${id}/${count}/${name}`,
      `${name} = (an expression, such as ${name} + 1; - for none)`,
      {
        standard: textOf(current),
        check: (reply) => (reply.trim() === '' ? 'It needs an expression.' : fault(withSet(reply.trim()))),
      },
    );
    asked = withSet(expression);
  }
  return asked;
}
