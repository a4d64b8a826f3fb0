import type { Answers, StepAnswer } from '../answers/answers.ts';
import { outputsOf } from '../outputs.ts';
import { ask, type Choice, choose, type Flow } from '../question.ts';
import { expressionText, type Source, typedLiteral } from '../wiring.ts';

/** What can be asked of a value: how it is said, and the expression. `value` is empty where nothing is compared. */
const TESTS: Readonly<
  Record<string, { readonly name: string; readonly isBare?: true; of(left: string, value: string): string }>
> = {
  is: { name: 'is', of: (left, value) => `${left} == ${value}` },
  'is-not': { name: 'is not', of: (left, value) => `${left} != ${value}` },
  more: { name: 'is more than', of: (left, value) => `${left} > ${value}` },
  less: { name: 'is less than', of: (left, value) => `${left} < ${value}` },
  contains: { name: 'contains the text', of: (left, value) => `string(${left}).contains(string(${value}))` },
  there: { name: 'is there', isBare: true, of: (left) => `${left} != null` },
  missing: { name: 'is not there', isBare: true, of: (left) => `${left} == null` },
};

export interface ConditionScope {
  readonly answers: Answers;
  readonly earlier: readonly StepAnswer[];
  readonly isLoop: boolean;
  readonly fault: (condition: string) => Promise<string | null>;
}

/** A condition, put together by choosing or written as an expression. */
export function* askCondition(
  id: string,
  text: string,
  scope: ConditionScope,
  current: string | null,
): Flow<string> {
  const left = yield* choose(id, text, conditionChoices(scope, current), {
    check: (reply) => (reply === 'keep' && current !== null ? scope.fault(current) : null),
  });
  if (left === 'keep' && current !== null) return current;
  if (left === 'write')
    return yield* ask(`${id}/expression`, 'Condition, such as fetch.status == 200 && inputs.force', {
      standard: current ?? '',
      check: (reply) => (reply.trim() === '' ? 'It needs an expression.' : scope.fault(reply.trim())),
    });
  if (left === 'times') {
    const times = yield* ask(`${id}/times`, 'How many times?', {
      standard: '3',
      check: (reply) =>
        /^[1-9]\d{0,5}$/.test(reply.trim())
          ? scope.fault(`iteration < ${reply.trim()}`)
          : 'It takes a whole number, from 1.',
    });
    return `iteration < ${times}`;
  }
  const source = expressionText(sourceOf(left));
  const tests = Object.entries(TESTS).map(([value, { name }]) => ({ value, name }));
  const test =
    TESTS[
      yield* choose(`${id}/test`, source, tests, { check: (reply) => scope.fault(probe(source, reply)) })
    ];
  if (test === undefined || test.isBare === true) return test?.of(source, '') ?? 'true';
  const written = (reply: string): string =>
    test.of(source, JSON.stringify(typedLiteral(reply.trim(), 'any')));
  const value = yield* ask(`${id}/value`, `${source} ${test.name}`, {
    check: (reply) => scope.fault(written(reply)),
  });
  return written(value);
}

function probe(source: string, test: string): string {
  return TESTS[test]?.of(source, '1') ?? 'true';
}

function conditionChoices({ answers, earlier, isLoop }: ConditionScope, current: string | null): Choice[] {
  const contexts = [
    ...Object.keys(answers.context.readonly ?? {}),
    ...Object.keys(answers.context.mutable ?? {}),
  ];
  return [
    ...(current === null ? [] : [{ value: 'keep', name: `as it is: ${current}` }]),
    ...(isLoop ? [{ value: 'times', name: 'a number of times' }] : []),
    ...earlier.flatMap((step) =>
      outputsOf(step, answers.new_skills).map((field) => ({
        value: `output:${step.id}:${field}`,
        name: `${step.id}.${field} …`,
      })),
    ),
    ...Object.keys(answers.inputs).map((name) => ({ value: `input:${name}`, name: `input ${name} …` })),
    ...contexts.map((name) => ({ value: `context:${name}`, name: `context ${name} …` })),
    { value: 'write', name: 'an expression that I write' },
  ];
}

function sourceOf(choice: string): Exclude<Source, { kind: 'secret' | 'template' }> {
  const [kind = '', name = '', ...rest] = choice.split(':');
  if (kind === 'output') return { kind, step: name, field: rest.join(':') };
  return kind === 'input' ? { kind, name } : { kind: 'context', name };
}
