import type { Json, JsonObject } from '../../definition/workflow.ts';
import { type Fields, isObject, type NoteList } from '../../skills/fields.ts';
import { commandFault, commandSkill, promptSkill } from '../ask/ask-new-skill.ts';
import { freeName, slug } from '../names.ts';
import { readSeconds } from '../units.ts';
import { fileValue, type Source } from '../wiring.ts';
import { INNER_KEYS, type NewSkill, type StepAnswer, textOf } from './answers.ts';

interface Reader {
  readonly notes: NoteList;
  readonly newSkills: Map<string, NewSkill>;
  readonly ids: Set<string>;
}

/** The steps of a file of answers: their type by what they have, their id by what they run, where these are not said. */
export function stepsFrom(fields: Fields, newSkills: Map<string, NewSkill>): readonly StepAnswer[] {
  const given = fields.raw('steps');
  if (given === undefined) {
    fields.notes.error('$.steps', 'is missing: a workflow has at least one step');
    return [];
  }
  // Ids that are given are taken, also by steps that come later.
  const ids = new Set(JSON.stringify(given).match(/(?<="id":")[^"]+(?=")/g) ?? []);
  return listFrom(given, '$.steps', { notes: fields.notes, newSkills, ids });
}

function listFrom(given: Json, path: string, reader: Reader): StepAnswer[] {
  if (!Array.isArray(given)) {
    reader.notes.error(path, 'must be a list of steps');
    return [];
  }
  return given.flatMap((each, index) => {
    if (isObject(each)) return stepFrom(each, `${path}[${index}]`, reader);
    reader.notes.error(`${path}[${index}]`, 'must be an object');
    return [];
  });
}

function stepFrom(given: JsonObject, path: string, reader: Reader): StepAnswer[] {
  const { command, prompt, ...rest } = given;
  const type = typeOf(given);
  if (type === null) {
    reader.notes.error(
      path,
      'has neither skill, agent, command, prompt, message nor steps: what does it do?',
    );
    return [];
  }
  const text = command ?? prompt;
  const made =
    text === undefined ? null : skillFrom(text, command === undefined ? 'prompt' : 'command', path, reader);
  const id =
    typeof given['id'] === 'string'
      ? given['id']
      : idFor(textOf(given['skill'] ?? given['agent'] ?? made ?? type), reader);
  const inner = INNER_KEYS[type].flatMap((key) => {
    const list = rest[key];
    return list === undefined ? [] : [[key, listFrom(list, `${path}.${key}`, reader)] as const];
  });
  return [
    {
      ...rest,
      id,
      type,
      ...(made === null ? {} : { skill: made }),
      ...(isObject(rest['inputs']) ? { inputs: inputsFrom(rest['inputs'], `${path}.inputs`, reader) } : {}),
      ...timeoutFrom(rest['timeout'], `${path}.timeout`, reader),
      ...Object.fromEntries(inner),
    },
  ];
}

const TYPES: readonly string[] = Object.keys(INNER_KEYS);

function typeOf(step: JsonObject): StepAnswer['type'] | null {
  const { type } = step;
  if (typeof type === 'string' && TYPES.includes(type)) return type as StepAnswer['type'];
  const has = (key: string): boolean => step[key] !== undefined;
  if (has('skill') || has('command') || has('prompt')) return 'skill';
  if (has('agent')) return 'agent';
  if (has('message')) return 'approval';
  if (has('then')) return 'conditional';
  if (has('steps')) return has('condition') ? 'loop' : 'parallel';
  return null;
}

function idFor(wish: string, { ids }: Reader): string {
  const id = freeName(slug(wish, 'step').replace(/^(?=\d)/, 'step-'), (name) => ids.has(name));
  ids.add(id);
  return id;
}

function skillFrom(
  text: Json,
  kind: 'command' | 'prompt',
  path: string,
  { notes, newSkills }: Reader,
): string | null {
  if (typeof text !== 'string' || text.trim() === '') {
    notes.error(`${path}.${kind}`, 'must be a text');
    return null;
  }
  const fault = kind === 'command' ? commandFault(text) : null;
  if (fault !== null) notes.error(`${path}.${kind}`, fault);
  const skill = kind === 'command' ? commandSkill(text) : promptSkill(text);
  const name = freeName(slug(text, kind), (each) => newSkills.has(each));
  newSkills.set(name, skill);
  return name;
}

function timeoutFrom(given: Json | undefined, path: string, { notes }: Reader): JsonObject {
  if (typeof given !== 'string') return given === undefined ? {} : { timeout: given };
  const seconds = readSeconds(given);
  if (seconds === null) notes.error(path, `"${given}" is no time: write it such as 90 or "5 min"`);
  return { timeout: seconds };
}

/** `{"output": "step.field"}`, `{"input": "name"}` and `{"context": "name"}` beside all that a workflow file takes. */
function inputsFrom(inputs: JsonObject, path: string, { notes, ids }: Reader): JsonObject {
  const entries = Object.entries(inputs).map(([name, value]): [string, Json] => {
    const [key = '', ...more] = isObject(value) ? Object.keys(value) : [];
    if (!isObject(value) || more.length > 0 || !['output', 'input', 'context'].includes(key))
      return [name, value];
    const target = value[key];
    if (typeof target === 'string' && target !== '')
      // Of a step that is not there it is still meant as an output, and not as a text: the checks will say so.
      return [name, isUnknown(key, target, ids) ? { ref: target } : fileValue(sourceOf(key, target), ids)];
    notes.error(`${path}.${name}.${key}`, 'must be a name');
    return [name, value];
  });
  return Object.fromEntries(entries);
}

function isUnknown(kind: string, target: string, ids: ReadonlySet<string>): boolean {
  return kind === 'output' && !ids.has(target.split('.')[0] ?? '');
}

function sourceOf(kind: string, target: string): Source {
  if (kind !== 'output') return { kind: kind === 'input' ? 'input' : 'context', name: target };
  const [step = '', ...fields] = target.split('.');
  return { kind: 'output', step, field: fields.length === 0 ? null : fields.join('.') };
}
