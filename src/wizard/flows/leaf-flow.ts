/** The questions about a step that does something itself. */
import type { JsonObject } from '../../definition/workflow.ts';
import { type StepAnswer, textOf } from '../answers/answers.ts';
import { askStepPolicy } from '../ask/ask-errors.ts';
import { askFigures } from '../ask/ask-figures.ts';
import { askGuardrails } from '../ask/ask-guardrails.ts';
import { handlerIds } from '../ask/ask-handler.ts';
import { askInputs, type Taken } from '../ask/ask-inputs.ts';
import { askSet } from '../ask/ask-set.ts';
import { askWrites } from '../ask/ask-writes.ts';
import { earlierThan, takenIds } from '../place.ts';
import { ask, choose, type Flow } from '../question.ts';
import { askId, type Spot, spotFault } from '../spot.ts';
import { readWords } from '../units.ts';

export function* askSkillStep(spot: Spot, name: string, current: StepAnswer | null): Flow<StepAnswer> {
  const { skills } = spot.desk.world;
  const chosen = current === null ? name : yield* askPart(`${spot.id}/skill`, 'skill', skills, name);
  const skill = skills.find((each) => each.name === chosen);
  const bare: StepAnswer = {
    ...current,
    id: yield* askId(spot, chosen, current),
    type: 'skill',
    skill: chosen,
  };
  const taken: Taken = {
    parameters: skill?.parameters ?? [],
    isOpen: skill === undefined || skill.parameters.length === 0,
  };
  return yield* askWork(spot, bare, taken);
}

export function* askAgentStep(spot: Spot, name: string, current: StepAnswer | null): Flow<StepAnswer> {
  const { agents } = spot.desk.world;
  const chosen = current === null ? name : yield* askPart(`${spot.id}/agent`, 'agent', agents, name);
  const bare: StepAnswer = {
    ...current,
    id: yield* askId(spot, chosen, current),
    type: 'agent',
    agent: chosen,
  };
  const task = {
    name: 'task',
    type: 'string',
    isRequired: true,
    default: undefined,
    values: null,
    pattern: null,
    description: 'what the agent shall do',
  };
  const guarded = yield* askGuardrails(`${spot.id}/guardrails`, bare, (step) => spotFault(spot, step));
  return yield* askWork(spot, guarded, { parameters: [task], isOpen: true });
}

/** What every step asks that does work: its inputs, its outputs, its time, and what happens when it fails. */
function* askWork(spot: Spot, bare: StepAnswer, taken: Taken): Flow<StepAnswer> {
  const fault = (step: StepAnswer): Promise<string | null> => spotFault(spot, step);
  const { newSkills } = spot.desk;
  const answers = { ...spot.place.answers, new_skills: Object.fromEntries(newSkills) };
  const ids = takenIds(spot.place, [...spot.before, bare, ...spot.after]);
  const scope = { answers, earlier: earlierThan(spot.place, spot.before), ids, fault };
  const fed = yield* askInputs(`${spot.id}/inputs`, bare, taken, scope);
  const before = Array.isArray(fed['outputs']) ? fed['outputs'].map(textOf).join(', ') : '';
  const withOutputs = (reply: string): StepAnswer => {
    const { outputs: _, ...rest } = fed;
    const names = reply.trim() === '-' ? [] : [...readWords(reply)];
    return { ...rest, ...(names.length === 0 ? {} : { outputs: names }) } as StepAnswer;
  };
  const outputs = yield* ask(
    `${spot.id}/outputs`,
    'Fields that its result must have, with commas (empty: none in particular)',
    {
      standard: before,
      check: (reply) => fault(withOutputs(reply)),
    },
  );
  const setting = yield* askSet(`${spot.id}/set`, withOutputs(outputs), answers.context, fault);
  const writing = yield* askWrites(`${spot.id}/writes`, setting, answers.context, fault);
  return yield* askEnd(spot, writing, 'Longest time for one attempt (empty: no limit of its own)');
}

export function* askApproval(spot: Spot, current: StepAnswer | null): Flow<StepAnswer> {
  const id = yield* askId(spot, 'approve', current);
  const withMessage = (message: string): StepAnswer => ({
    ...current,
    id,
    type: 'approval',
    message: message.trim(),
  });
  const message = yield* ask(
    `${spot.id}/message`,
    'What is the person asked? (${{ step.field }} puts a value in)',
    {
      standard: typeof current?.['message'] === 'string' ? current['message'] : '',
      check: (reply) => (reply.trim() === '' ? 'It needs a question.' : spotFault(spot, withMessage(reply))),
    },
  );
  return yield* askEnd(spot, withMessage(message), 'How long does it wait? (usual: a day)');
}

function* askEnd(spot: Spot, step: StepAnswer, timeText: string): Flow<StepAnswer> {
  const fault = (each: StepAnswer): Promise<string | null> => spotFault(spot, each);
  const { timeout, ...rest } = step;
  const figures: JsonObject = timeout === undefined ? {} : { timeout };
  const given = yield* askFigures(
    spot.id,
    [{ key: 'timeout', text: timeText, unit: 'seconds' }],
    figures,
    (each) => fault({ ...rest, ...each } as StepAnswer),
  );
  const timed = { ...rest, ...given } as StepAnswer;
  const taken = takenIds(spot.place, [...spot.before, timed, ...spot.after]);
  return yield* askStepPolicy(`${spot.id}/on-error`, timed, {
    world: spot.desk.world,
    handlers: handlerIds(spot.place.answers),
    takenIds: taken,
    fault,
  });
}

function* askPart(
  id: string,
  noun: 'skill' | 'agent',
  parts: readonly { readonly name: string; readonly description: string }[],
  current: string,
): Flow<string> {
  const others = parts.filter(({ name }) => name !== current);
  const choices = [
    { value: current, name: `${current} (as it is)` },
    ...others.map(({ name, description }) => ({ value: name, name, description })),
  ];
  return yield* choose(id, `Which ${noun}?`, choices);
}
