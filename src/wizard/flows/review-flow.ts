/** The workflow as it is, and what can be changed of it: the end of `create`, and all of `edit`. */
import { printable } from '../../cli/text/style.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import {
  type Answers,
  flattened,
  INNER_KEYS,
  innerSteps,
  type StepAnswer,
  textOf,
} from '../answers/answers.ts';
import { askDefaultPolicy } from '../ask/ask-errors.ts';
import { definitionOf } from '../definition.ts';
import { nameFault } from '../names.ts';
import { innerPlace, placeAt, placeFault, type StepPath, stepPaths } from '../place.ts';
import { ask, type Choice, choose, type Flow } from '../question.ts';
import type { Desk } from '../spot.ts';
import { usersOf } from '../usage.ts';
import { faultOf } from '../world.ts';
import { askSchedule } from './schedule-flow.ts';
import { askLimits, askValues, limitsText } from './settings-flow.ts';
import { askStep, changeStep } from './step-flow.ts';

/** Asks what to change until it is right. Null: nothing is to be saved. */
export function* askReview(desk: Desk, given: Answers, canRename: 'name' | 'fixed'): Flow<Answers | null> {
  let answers = given;
  for (let round = 0; ; round += 1) {
    const id = `review/${round}`;
    const shown = answers;
    const chosen = yield* choose(id, 'Is it right so?', reviewChoices(answers), {
      note: () => desk.world.picture(shown),
      check: async (reply) => {
        const fault = reply === 'save' ? await faultOf(shown) : null;
        return fault === null ? null : `It cannot be saved yet: ${fault}`;
      },
    });
    switch (chosen) {
      case 'save':
        return answers;
      case 'drop':
        return null;
      case 'json':
        yield* choose(`${id}/json`, 'That is the file.', [{ value: 'back', name: 'back to the review' }], {
          note: () => JSON.stringify(definitionOf(shown), null, 2).split('\n').map(printable).join('\n'),
        });
        break;
      default:
        answers = withNewSkills(desk, yield* change(desk, id, answers, chosen, canRename));
    }
  }
}

function* change(
  desk: Desk,
  id: string,
  answers: Answers,
  chosen: string,
  canRename: 'name' | 'fixed',
): Flow<Answers> {
  switch (chosen) {
    case 'add':
      return yield* addAt(desk, answers, [{ key: 'steps', index: answers.steps.length }]);
    case 'values':
      return yield* askValues(`${id}/values`, answers);
    case 'schedule':
      return { ...answers, triggers: yield* askSchedule(`${id}/schedule`, answers, desk.world) };
    case 'limits':
      return yield* askLimits(`${id}/limits`, answers);
    case 'errors':
      return {
        ...answers,
        on_error: (yield* askDefaultPolicy(`${id}/errors`, answers.on_error as JsonObject | null, (policy) =>
          faultOf({ ...answers, on_error: policy as Answers['on_error'] }),
        )) as Answers['on_error'],
      };
    case 'purpose':
      return yield* askAbout(id, answers, canRename);
    default:
      return yield* changeAt(desk, id, answers, JSON.parse(chosen.slice('step:'.length)) as StepPath);
  }
}

function* askAbout(id: string, answers: Answers, canRename: 'name' | 'fixed'): Flow<Answers> {
  const purpose = yield* ask(`${id}/purpose`, 'What is it for?', { standard: answers.purpose });
  const name =
    canRename === 'fixed'
      ? answers.name
      : yield* ask(`${id}/name`, 'Its name', {
          standard: answers.name,
          check: (reply) => nameFault(reply.trim()),
        });
  const version = yield* ask(`${id}/version`, 'Its version', {
    standard: answers.version,
    check: (reply) => faultOf({ ...answers, version: reply.trim() }),
  });
  return { ...answers, purpose, name, version };
}

function* changeAt(desk: Desk, id: string, answers: Answers, path: StepPath): Flow<Answers> {
  const { place, list, index } = placeAt(answers, path);
  const step = list[index];
  if (step === undefined) return answers;
  const replaced = (steps: readonly StepAnswer[]): Answers => place.wrap(steps);
  const without = list.filter((_, at) => at !== index);
  const moved = (by: number): StepAnswer[] => [
    ...without.slice(0, index + by),
    step,
    ...without.slice(index + by),
  ];
  const own = `${id}/${step.id}`;
  const chosen = yield* choose(own, `The step ${step.id}`, stepChoices(step, index, list.length), {
    check: async (reply) => {
      if (reply === 'remove')
        return removalFault(step, list.length, answers, replaced(without), place.id === 'steps');
      const by = { up: -1, down: 1 }[reply];
      const fault = by === undefined ? null : await placeFault(place, moved(by));
      return fault === null ? null : `"${step.id}" cannot go there: ${fault}.`;
    },
  });
  switch (chosen) {
    case 'change': {
      const changed = yield* changeStep(desk, place, list, index, step);
      return replaced(list.map((each, at) => (at === index ? changed : each)));
    }
    case 'remove':
      return replaced(without);
    case 'up':
      return replaced(moved(-1));
    case 'down':
      return replaced(moved(1));
    case 'before':
      return yield* addAt(desk, answers, path);
    case 'after':
      return yield* addAt(desk, answers, [
        ...path.slice(0, -1),
        { key: path.at(-1)?.key ?? 'steps', index: index + 1 },
      ]);
    default: {
      if (!chosen.startsWith('in:')) return answers;
      const key = chosen.slice(3);
      const inside = innerSteps(step, key);
      const inner = innerPlace(place, list.slice(0, index), list.slice(index + 1), step, key);
      const added = yield* askStep(desk, inner, inside, [], '');
      return added === null ? answers : inner.wrap([...inside, added]);
    }
  }
}

function* addAt(desk: Desk, answers: Answers, path: StepPath): Flow<Answers> {
  const { place, list, index } = placeAt(answers, path);
  const [before, after] = [list.slice(0, index), list.slice(index)];
  const step = yield* askStep(desk, place, before, after, '');
  return step === null ? answers : place.wrap([...before, step, ...after]);
}

/** Why a step cannot go; null when it can. */
async function removalFault(
  step: StepAnswer,
  count: number,
  answers: Answers,
  rest: Answers,
  isTop: boolean,
): Promise<string | null> {
  const users = await usersOf(step, answers);
  if (users.length > 0)
    return `"${step.id}" cannot go: ${users.join(', ')} ${users.length === 1 ? 'uses' : 'use'} it.`;
  if (count === 1 && isTop) return 'A workflow has at least one step.';
  return faultOf(rest);
}

/** What only `definitionOf` does not know: the skills that were made on the way, as far as a step still names them. */
export function withNewSkills(desk: Desk, answers: Answers): Answers {
  const named = new Set(flattened(answers.steps).map((step) => step['skill']));
  const skills = [...Object.entries(answers.new_skills), ...desk.newSkills].filter(([name]) =>
    named.has(name),
  );
  return { ...answers, new_skills: Object.fromEntries(skills) };
}

function reviewChoices(answers: Answers): Choice[] {
  const steps = stepPaths(answers.steps).map(({ path, step }) => ({
    value: `step:${JSON.stringify(path)}`,
    name: `${'  '.repeat(path.length - 1)}step ${step.id}`,
    description: `${step.type} ${textOf(step['skill'] ?? step['agent'] ?? step['condition'])}`.trim(),
  }));
  const schedules = answers.triggers.flatMap((trigger) =>
    trigger.type === 'schedule' ? [trigger.cron] : [],
  );
  const limits = limitsText(answers.limits as JsonObject);
  return [
    { value: 'save', name: 'save it' },
    { value: 'json', name: 'show the file' },
    ...steps,
    { value: 'add', name: 'add a step at the end' },
    { value: 'values', name: 'inputs and shared values' },
    {
      value: 'schedule',
      name: `when it runs: ${schedules.length === 0 ? 'when someone starts it' : schedules.join('; ')}`,
    },
    { value: 'limits', name: `limits: ${limits === '' ? 'the usual ones' : limits}` },
    {
      value: 'errors',
      name: `on errors: ${answers.on_error === null ? 'stop the run' : JSON.stringify(answers.on_error)}`,
    },
    { value: 'purpose', name: 'name, purpose and version' },
    { value: 'drop', name: 'throw it away' },
  ];
}

function stepChoices(step: StepAnswer, index: number, count: number): Choice[] {
  const inside = INNER_KEYS[step.type].map((key) => ({
    value: `in:${key}`,
    name: { then: 'add a step for if so', else: 'add a step for if not' }[key] ?? 'add a step inside',
  }));
  return [
    { value: 'change', name: 'change it' },
    ...inside,
    { value: 'before', name: 'add a step before it' },
    { value: 'after', name: 'add a step after it' },
    ...(index > 0 ? [{ value: 'up', name: 'move it up' }] : []),
    ...(index < count - 1 ? [{ value: 'down', name: 'move it down' }] : []),
    { value: 'remove', name: 'remove it' },
    { value: 'leave', name: 'leave it as it is' },
  ];
}
