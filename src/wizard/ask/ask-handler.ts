/** What handles the failure of a step: a handler that the workflow has, or a skill with what it is told of the failure. */
import type { Json, JsonObject } from '../../definition/workflow.ts';
import type { SkillParameter } from '../../skills/skill.ts';
import { type Answers, textOf } from '../answers/answers.ts';
import { freeName } from '../names.ts';
import { ask, type Choice, choose, type Flow } from '../question.ts';
import { typedLiteral, typeFault } from '../wiring.ts';
import type { World } from '../world.ts';

const TOLD: readonly Choice[] = [
  { value: 'error.message', name: 'what went wrong, in words' },
  { value: 'error.code', name: 'the error code' },
  { value: 'error.step', name: 'the step that failed' },
];

export interface HandlerScope {
  readonly world: World;
  /** Ids of the handlers that the workflow has. */
  readonly handlers: readonly string[];
  /** Ids that a new handler must not have. */
  readonly takenIds: ReadonlySet<string>;
  readonly fault: (handler: Json) => Promise<string | null>;
}

/** Ids of the handlers in the answers. */
export function handlerIds({ kept }: Answers): readonly string[] {
  const list = kept['handlers'];
  return Array.isArray(list)
    ? list.flatMap((each) =>
        typeof each === 'object' && each !== null && !Array.isArray(each) && typeof each['id'] === 'string'
          ? [each['id']]
          : [],
      )
    : [];
}

/** True where there is something that could handle a failure. */
export function hasHandlers({ world, handlers }: Pick<HandlerScope, 'world' | 'handlers'>): boolean {
  return handlers.length > 0 || skillChoices(world).length > 0;
}

export function skillChoices({ skills }: World): Choice[] {
  return skills
    .filter(({ problems }) => problems.length === 0)
    .map(({ name, description }) => ({ value: name, name, description }));
}

/** Asks for the handler of a step: the name of one, or a step in place. */
export function* askHandler(id: string, stepId: string, scope: HandlerScope): Flow<Json> {
  const { world, handlers, takenIds, fault } = scope;
  const made = (skill: string, inputs: JsonObject = {}): JsonObject => ({
    id: freeName(`handle-${stepId.slice(0, 80)}`.replace(/-+$/, ''), (name) => takenIds.has(name)),
    type: 'skill',
    skill,
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
  });
  const handlerOf = (reply: string): Json =>
    reply.startsWith('handler:') ? reply.slice('handler:'.length) : made(reply.slice('skill:'.length));
  const chosen = yield* choose(
    id,
    'What handles it?',
    [
      ...handlers.map((name) => ({ value: `handler:${name}`, name: `the handler ${name} of this workflow` })),
      ...skillChoices(world).map((choice) => ({ ...choice, value: `skill:${choice.value}` })),
    ],
    { check: (reply) => fault(handlerOf(reply)) },
  );
  if (chosen.startsWith('handler:')) return handlerOf(chosen);
  const name = chosen.slice('skill:'.length);
  const parameters = world.skills.find((skill) => skill.name === name)?.parameters ?? [];
  let inputs: JsonObject = {};
  for (const parameter of parameters) {
    const given = yield* askInput(`${id}/${parameter.name}`, parameter, (value) =>
      fault(made(name, { ...inputs, [parameter.name]: value })),
    );
    if (given !== undefined) inputs = { ...inputs, [parameter.name]: given };
  }
  return made(name, inputs);
}

/** What the handler gets for a parameter; undefined for nothing. */
function* askInput(
  id: string,
  { name, type, values, isRequired }: SkillParameter,
  fault: (value: Json) => Promise<string | null>,
): Flow<Json | undefined> {
  const omit: Choice = { value: 'omit', name: 'nothing' };
  const fixed = (values ?? []).map((value) => ({
    value: `value:${JSON.stringify(value)}`,
    name: textOf(value),
  }));
  const chosen = yield* choose(
    id,
    `${name} of the handler`,
    [
      ...(isRequired ? [] : [omit]),
      ...(type === 'string' ? TOLD : []),
      ...fixed,
      ...(fixed.length > 0 ? [] : [{ value: 'literal', name: 'a value of yours' }]),
    ],
    { check: (reply) => (reply === 'omit' || reply === 'literal' ? null : fault(givenBy(reply))) },
  );
  if (chosen === 'omit') return undefined;
  if (chosen !== 'literal') return givenBy(chosen);
  const text = yield* ask(`${id}/literal`, `${name} =`, {
    check: (reply) => typeFault(reply.trim(), type) ?? fault(literal(reply, type)),
  });
  return literal(text, type);
}

/** What a choice stands for: a reference, or one of the fixed values. */
function givenBy(chosen: string): Json {
  return chosen.startsWith('value:')
    ? { literal: JSON.parse(chosen.slice('value:'.length)) as Json }
    : chosen;
}

/** Said to be one, so that no text is read as a reference. */
function literal(text: string, type: string): Json {
  return { literal: typedLiteral(text.trim(), type) };
}
