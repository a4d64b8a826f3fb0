/** The questions about steps, those of groups and what is in them too. */
import type { JsonObject } from '../../definition/workflow.ts';
import { innerSteps, type StepAnswer, textOf } from '../answers/answers.ts';
import { askCondition } from '../ask/ask-condition.ts';
import { askStepPolicy } from '../ask/ask-errors.ts';
import { askFigures } from '../ask/ask-figures.ts';
import { handlerIds } from '../ask/ask-handler.ts';
import { askNewSkill } from '../ask/ask-new-skill.ts';
import { earlierThan, innerPlace, type Place, takenIds } from '../place.ts';
import { type Choice, choose, type Flow } from '../question.ts';
import { askId, type Desk, type Spot, spotFault } from '../spot.ts';
import { stepKinds } from '../step-kinds.ts';
import { askAgentStep, askApproval, askSkillStep } from './leaf-flow.ts';

/** Asks for the steps of a list, one after another, until the person is done. There is always one. */
export function* askSteps(
  desk: Desk,
  place: Place,
  what: string,
  need: 'one' | 'none',
): Flow<readonly StepAnswer[]> {
  let steps: readonly StepAnswer[] = [];
  for (;;) {
    const isEnough = steps.length > 0 || need === 'none';
    const step = yield* askStep(desk, place, steps, [], isEnough ? what : null);
    if (step === null) return steps;
    steps = [...steps, step];
  }
}

/** A new step between others; null when the person is done. `done` = what the list is of, where it may end here. */
export function* askStep(
  desk: Desk,
  place: Place,
  before: readonly StepAnswer[],
  after: readonly StepAnswer[],
  done: string | null,
): Flow<StepAnswer | null> {
  const id = `${place.id}/${before.length}`;
  const spot: Spot = { desk, place, before, after, id };
  const text = `Step ${before.length + 1}${done === null || done === '' ? '' : ` ${done}`}: what does it do?`;
  const kind = yield* choose(`${id}/kind`, text, stepKinds(desk.world, desk.purpose, done));
  if (kind === 'done') return null;
  const [type = '', ...rest] = kind.split(':');
  const name = rest.join(':');
  switch (type) {
    case 'skill':
      return yield* askSkillStep(spot, name, null);
    case 'agent':
      return yield* askAgentStep(spot, name, null);
    case 'command':
    case 'prompt': {
      const made = yield* askNewSkill(id, type, (each) => isSkillName(desk, each));
      desk.newSkills.set(made.name, made.skill);
      return yield* askSkillStep(spot, made.name, null);
    }
    case 'approval':
      return yield* askApproval(spot, null);
    default:
      return yield* askComposite(spot, type as 'parallel' | 'conditional' | 'loop');
  }
}

/** The same questions about a step that is there, its own answers standing first; inner steps stay as they are. */
export function* changeStep(
  desk: Desk,
  place: Place,
  list: readonly StepAnswer[],
  index: number,
  step: StepAnswer,
): Flow<StepAnswer> {
  const spot: Spot = {
    desk,
    place,
    before: list.slice(0, index),
    after: list.slice(index + 1),
    id: `${place.id}/${index}/change`,
  };
  switch (step.type) {
    case 'skill':
      return yield* askSkillStep(spot, textOf(step['skill']), step);
    case 'agent':
      return yield* askAgentStep(spot, textOf(step['agent']), step);
    case 'approval':
      return yield* askApproval(spot, step);
    case 'parallel':
    case 'conditional':
    case 'loop':
      return yield* askGroup(spot, step);
  }
}

function* askComposite(spot: Spot, type: 'parallel' | 'conditional' | 'loop'): Flow<StepAnswer> {
  const { desk, place, before, after } = spot;
  const id = yield* askId(spot, { parallel: 'together', conditional: 'check', loop: 'repeat' }[type], null);
  const inner = function* (
    step: StepAnswer,
    key: string,
    what: string,
    need: 'one' | 'none',
  ): Flow<StepAnswer> {
    const steps = yield* askSteps(desk, innerPlace(place, before, after, step, key), what, need);
    return steps.length === 0 ? step : { ...step, [key]: [...steps] };
  };
  switch (type) {
    case 'parallel':
      return yield* askGroup(spot, yield* inner({ id, type }, 'steps', `side by side in ${id}`, 'one'));
    case 'loop':
      // The condition may name what its own steps give: they are asked for first.
      return yield* askGroup(
        spot,
        yield* inner({ id, type, condition: 'false' }, 'steps', `of the loop ${id}`, 'one'),
      );
    case 'conditional': {
      // Nothing in it stands in for steps that are still to come: `then` is never empty when it is looked at.
      const condition = yield* askOwnCondition(spot, { id, type, condition: 'true', then: [STAND_IN] }, null);
      const then = yield* inner({ id, type, condition }, 'then', `if so, in ${id}`, 'one');
      const both = yield* inner(then, 'else', `if not, in ${id}`, 'none');
      return yield* askStepPolicy(`${spot.id}/on-error`, both, {
        world: desk.world,
        handlers: handlerIds(place.answers),
        takenIds: takenIds(place, [...before, both, ...after]),
        fault: (each) => spotFault(spot, each),
      });
    }
  }
}

const STAND_IN: JsonObject = { id: 'a-step-to-come', type: 'skill', skill: 'to-come' };

/** What is asked about a group itself, its steps being there. */
function* askGroup(spot: Spot, step: StepAnswer): Flow<StepAnswer> {
  const fault = (each: StepAnswer): Promise<string | null> => spotFault(spot, each);
  let asked = step;
  if (step.type === 'parallel') {
    const standard = typeof step['wait_for'] === 'string' ? step['wait_for'] : 'all';
    const reply = yield* choose(`${spot.id}/wait-for`, 'When does the flow go on?', WAITS, { standard });
    asked = { ...step, wait_for: reply };
  } else {
    const current = step['condition'] === 'false' ? null : textOf(step['condition']);
    asked = { ...step, condition: yield* askOwnCondition(spot, step, current) };
  }
  if (step.type === 'loop') {
    const { max_iterations: most, ...rest } = asked;
    const figure = {
      key: 'max_iterations',
      text: 'At most how many turns? (usual: 100; reaching it is a failure)',
      unit: 'number',
    } as const;
    const given = yield* askFigures(
      spot.id,
      [figure],
      most === undefined ? {} : { max_iterations: most },
      (each) => fault({ ...rest, ...each } as StepAnswer),
    );
    asked = { ...rest, ...given } as StepAnswer;
  }
  return yield* askStepPolicy(`${spot.id}/on-error`, asked, {
    world: spot.desk.world,
    handlers: handlerIds(spot.place.answers),
    takenIds: takenIds(spot.place, [...spot.before, asked, ...spot.after]),
    fault,
  });
}

const WAITS: readonly Choice[] = [
  { value: 'all', name: 'when all of them are done', description: 'One that fails ends the others.' },
  { value: 'any', name: 'when the first has succeeded', description: 'The others are killed.' },
  { value: 'none', name: 'at once', description: 'They go on beside the steps that follow.' },
];

function* askOwnCondition(spot: Spot, step: StepAnswer, current: string | null): Flow<string> {
  const isLoop = step.type === 'loop';
  const { place, before } = spot;
  const inside = isLoop ? innerPlace(place, before, spot.after, step, 'steps') : null;
  const earlier =
    inside === null ? earlierThan(place, before) : earlierThan(inside, innerSteps(step, 'steps'));
  return yield* askCondition(
    `${spot.id}/condition`,
    isLoop ? 'Another turn as long as:' : 'Only if:',
    {
      answers: { ...place.answers, new_skills: Object.fromEntries(spot.desk.newSkills) },
      earlier,
      isLoop,
      fault: (condition) => spotFault(spot, { ...step, condition }),
    },
    current,
  );
}

function isSkillName({ world, newSkills }: Desk, name: string): boolean {
  return newSkills.has(name) || world.skills.some((skill) => skill.name === name);
}
