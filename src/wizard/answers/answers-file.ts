/** Answers from a file, for scripts (docs/create.md): the shape of a workflow file, with much that may be left out. */
import type { TriggerFile } from '../../definition/file.ts';
import type { Json, JsonObject } from '../../definition/workflow.ts';
import { ensureError, type Problem, WorkflowError } from '../../errors/workflow-error.ts';
import { Fields, isObject, NoteList } from '../../skills/fields.ts';
import { presetCron } from '../flows/schedule-flow.ts';
import { slug } from '../names.ts';
import { readMebibytes, readSeconds } from '../units.ts';
import { type Answers, type NewSkill, NO_ANSWERS } from './answers.ts';
import { stepsFrom } from './answers-steps.ts';

/**
 * Reads the text of a file of answers. Throws ANSWERS_INVALID with every place that is wrong. Whether they make a valid
 * workflow is found when they are checked, with the same paths for the steps.
 */
export function readAnswers(text: string, file: string, purpose: string | null): Answers {
  const notes = new NoteList(file);
  const fields = new Fields(parsed(text, notes), '$', notes);
  const newSkills = new Map<string, NewSkill>();
  const own = fields.string('purpose');
  const about = purpose ?? own ?? '';
  const answers: Answers = {
    ...NO_ANSWERS,
    name: fields.string('name') ?? slug(about, 'workflow'),
    version: fields.string('version') ?? NO_ANSWERS.version,
    purpose: about,
    inputs: inputsFrom(fields),
    context: (objectAt(fields, 'context') ?? {}) as Answers['context'],
    triggers: triggersFrom(fields),
    limits: limitsFrom(fields) as Answers['limits'],
    on_error: (fields.raw('on_error') ?? null) as Answers['on_error'],
    steps: stepsFrom(fields, newSkills),
    kept: objectAt(fields, 'more') ?? {},
  };
  fields.warnUnknown();
  refuse(file, notes);
  return { ...answers, new_skills: Object.fromEntries(newSkills) };
}

function refuse(file: string, { all }: NoteList): void {
  // An unknown key is most likely a typo of one that was meant.
  const problems: Problem[] = all.map(({ path, message }) => ({
    severity: 'error',
    path,
    message: message.replace(' is ignored', ''),
  }));
  if (problems.length > 0)
    throw new WorkflowError('ANSWERS_INVALID', `${file} has no valid answers`, { problems });
}

function parsed(text: string, notes: NoteList): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    if (isObject(value)) return value;
    notes.error('$', 'must be an object');
  } catch (error) {
    notes.error('$', `is no JSON: ${ensureError(error).message}`);
  }
  return {};
}

function inputsFrom(fields: Fields): Answers['inputs'] {
  const inputs = fields.object('inputs');
  const entries = (inputs?.keys() ?? []).map((name) => {
    const value = inputs?.raw(name) ?? null;
    // "string" stands for {"type": "string", "required": true}.
    if (typeof value === 'string') return [name, { type: value, required: true }];
    if (!isObject(value))
      fields.notes.error(`$.inputs.${name}`, 'must be a type, or an object as in a workflow file');
    return [name, value];
  });
  return Object.fromEntries(entries) as Answers['inputs'];
}

function triggersFrom(fields: Fields): TriggerFile[] {
  const given = fields.raw('schedule');
  if (given === undefined) return [];
  return (Array.isArray(given) ? given : [given]).flatMap((each, index) => {
    const path = Array.isArray(given) ? `$.schedule[${index}]` : '$.schedule';
    if (typeof each === 'string') return [{ type: 'schedule' as const, cron: presetCron(each) ?? each }];
    if (isObject(each) && typeof each['cron'] === 'string')
      return [{ ...each, type: 'schedule', cron: presetCron(each['cron']) ?? each['cron'] } as TriggerFile];
    fields.notes.error(
      path,
      'must be a cron expression, "every hour|day|weekday|week|month", or an object with "cron"',
    );
    return [];
  });
}

function limitsFrom(fields: Fields): JsonObject {
  const limits = fields.object('limits');
  const entries = (limits?.keys() ?? []).map((name): [string, Json] => {
    const value = limits?.raw(name) ?? null;
    const read = name.endsWith('_mb') ? readMebibytes : name.endsWith('_time') ? readSeconds : null;
    if (typeof value !== 'string' || read === null) return [name, value];
    const figure = read(value);
    if (figure === null)
      fields.notes.error(`$.limits.${name}`, `"${value}" is no figure: write it such as "2 GB" or "90 s"`);
    return [name, figure];
  });
  return Object.fromEntries(entries);
}

function objectAt(fields: Fields, key: string): JsonObject | null {
  const inner = fields.object(key);
  return inner === null
    ? null
    : Object.fromEntries(inner.keys().map((name) => [name, inner.raw(name) ?? null]));
}
