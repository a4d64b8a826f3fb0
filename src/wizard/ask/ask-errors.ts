import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { StepAnswer } from '../answers/answers.ts';
import { freeName } from '../names.ts';
import { type Choice, choose, type Flow } from '../question.ts';
import type { World } from '../world.ts';
import { askFigures, type Figure } from './ask-figures.ts';
import { askHandler, type HandlerScope, hasHandlers, skillChoices } from './ask-handler.ts';

const RETRY: readonly Figure[] = [
  { key: 'max_attempts', text: 'How many attempts in all? (usual: 3)', unit: 'number' },
  { key: 'initial_delay', text: 'How long before the second attempt? (usual: 1 s)', unit: 'seconds' },
];

const STRATEGIES: readonly Choice[] = [
  { value: 'halt', name: 'stop the run', description: 'The run fails.' },
  { value: 'retry', name: 'try again', description: 'Several attempts, with a pause before each.' },
  { value: 'skip', name: 'go on without it', description: 'Its outputs are null.' },
  {
    value: 'rollback',
    name: 'undo what was done',
    description: 'Every completed step is undone by what it names for that, the last first.',
  },
];
const CUSTOM: Choice = {
  value: 'custom',
  name: 'let something else handle it',
  description: 'A skill, or a handler of this workflow. When it succeeds, the flow goes on with its result.',
};

/** The policy for the steps that say nothing; null = the run stops. */
export function* askDefaultPolicy(
  id: string,
  current: Json | null,
  fault: (policy: Json | null) => Promise<string | null>,
): Flow<Json | null> {
  const chosen = yield* choose(
    id,
    'When a step fails that says nothing itself:',
    [...keep(current), ...STRATEGIES],
    {
      check: (reply) => (reply === 'keep' || reply === 'halt' ? null : fault(reply)),
    },
  );
  if (chosen === 'keep') return current;
  if (chosen === 'retry') return yield* askRetry(id, {}, fault);
  return chosen === 'halt' ? null : chosen;
}

export interface PolicyScope extends Omit<HandlerScope, 'fault'> {
  readonly fault: (step: StepAnswer) => Promise<string | null>;
}

/** Asks what happens when a step fails, and answers the step with it. */
export function* askStepPolicy(
  id: string,
  step: StepAnswer,
  { world, handlers, takenIds, fault }: PolicyScope,
): Flow<StepAnswer> {
  const { on_error: current = null, ...bare } = step;
  const plain = bare as StepAnswer;
  const usual = {
    value: 'usual',
    name: 'as the workflow says',
    description: 'The run stops, unless the workflow has another default.',
  };
  const choices = [
    ...keep(current),
    usual,
    ...STRATEGIES,
    ...(hasHandlers({ world, handlers }) ? [CUSTOM] : []),
  ];
  const chosen = yield* choose(id, 'If it fails:', choices, {
    check: (reply) =>
      ['keep', 'usual', 'custom'].includes(reply) ? null : fault({ ...plain, on_error: reply }),
  });
  switch (chosen) {
    case 'keep':
      return step;
    case 'usual':
      return plain;
    case 'retry':
      return {
        ...plain,
        on_error: yield* askRetry(id, policyObject(current), (policy) =>
          fault({ ...plain, on_error: policy }),
        ),
      };
    case 'rollback':
      return { ...(yield* askUndo(id, plain, world, takenIds, fault)), on_error: 'rollback' };
    case 'custom': {
      const handledBy = (handler: Json): StepAnswer => ({
        ...plain,
        on_error: { strategy: 'custom', custom_handler: handler },
      });
      const scope = { world, handlers, takenIds, fault: (handler: Json) => fault(handledBy(handler)) };
      return handledBy(yield* askHandler(`${id}/handler`, step.id, scope));
    }
    default:
      return { ...plain, on_error: chosen };
  }
}

function* askRetry(
  id: string,
  current: JsonObject,
  fault: (policy: JsonObject) => Promise<string | null>,
): Flow<JsonObject> {
  const { strategy: _, backoff: before, then: last, ...others } = current;
  const written = (figures: JsonObject): JsonObject => ({ strategy: 'retry', ...figures });
  const figures = yield* askFigures(id, RETRY, others, (given) => fault(written(given)));
  const backoff = yield* choose(`${id}/backoff`, 'The pauses', BACKOFFS, {
    standard: typeof before === 'string' ? before : 'exponential',
  });
  const then = yield* choose(`${id}/then`, 'When the last attempt fails too:', THEN, {
    standard: last === 'skip' ? 'skip' : 'halt',
    check: (reply) => fault({ ...written(figures), backoff, ...(reply === 'halt' ? {} : { then: reply }) }),
  });
  return {
    ...written(figures),
    ...(backoff === 'exponential' ? {} : { backoff }),
    ...(then === 'halt' ? {} : { then }),
  };
}

const BACKOFFS: readonly Choice[] = [
  { value: 'exponential', name: 'double each time' },
  { value: 'linear', name: 'grow by the first one each time' },
  { value: 'fixed', name: 'stay the same' },
];

const THEN: readonly Choice[] = [
  { value: 'halt', name: 'stop the run' },
  { value: 'skip', name: 'go on without it' },
  { value: 'rollback', name: 'undo what was done' },
];

function* askUndo(
  id: string,
  step: StepAnswer,
  world: World,
  takenIds: ReadonlySet<string>,
  fault: (step: StepAnswer) => Promise<string | null>,
): Flow<StepAnswer> {
  const undone = (skill: string): StepAnswer => ({
    ...step,
    undo: {
      id: freeName(`undo-${step.id.slice(0, 80)}`.replace(/-+$/, ''), (name) => takenIds.has(name)),
      type: 'skill',
      skill,
    },
  });
  const none = { value: '', name: step['undo'] === undefined ? 'nothing' : 'as it is' };
  const skill = yield* choose(`${id}/undo`, 'What undoes this step itself?', [none, ...skillChoices(world)], {
    check: (reply) => fault({ ...(reply === '' ? step : undone(reply)), on_error: 'rollback' }),
  });
  return skill === '' ? step : undone(skill);
}

function keep(current: Json | null): Choice[] {
  return current === null
    ? []
    : [
        {
          value: 'keep',
          name: `as it is: ${typeof current === 'string' ? current : JSON.stringify(current)}`,
        },
      ];
}

function policyObject(policy: Json): JsonObject {
  const isRetry =
    typeof policy === 'object' && policy !== null && !Array.isArray(policy) && policy['strategy'] === 'retry';
  return isRetry ? policy : {};
}
