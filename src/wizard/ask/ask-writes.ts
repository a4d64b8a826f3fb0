import type { Answers, StepAnswer } from '../answers/answers.ts';
import { choose, type Flow } from '../question.ts';

/**
 * Asks which shared values a step replaces by the field of the same name of its result; nothing is asked where there are
 * none to change.
 */
export function* askWrites(
  id: string,
  step: StepAnswer,
  { mutable = {} }: Answers['context'],
  fault: (step: StepAnswer) => Promise<string | null>,
): Flow<StepAnswer> {
  const names = Object.keys(mutable);
  let asked = step;
  for (let count = 0; names.length > 0; count += 1) {
    const { writes, ...bare } = asked;
    const before = Array.isArray(writes) ? writes.map(String) : [];
    const withWrites = (changed: readonly string[]): StepAnswer =>
      ({ ...bare, ...(changed.length === 0 ? {} : { writes: changed }) }) as StepAnswer;
    const changedBy = (reply: string): StepAnswer => {
      const name = reply.slice('take:'.length);
      return withWrites(
        reply.startsWith('take:') ? [...before, name] : before.filter((each) => each !== name),
      );
    };
    const chosen = yield* choose(
      `${id}/${count}`,
      'Does a field of its result replace the shared value of its name?',
      [
        { value: 'no', name: count === 0 && before.length === 0 ? 'no' : 'no more' },
        ...names.map((name) =>
          before.includes(name)
            ? { value: `keep:${name}`, name: `${name} is taken from the result: leave it as it was instead` }
            : { value: `take:${name}`, name: `take ${name} from the result` },
        ),
      ],
      { check: (reply) => (reply === 'no' ? null : fault(changedBy(reply))) },
    );
    if (chosen === 'no') return asked;
    asked = changedBy(chosen);
  }
  return asked;
}
