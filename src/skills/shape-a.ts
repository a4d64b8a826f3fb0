import {
  readContextFiles,
  readParameters,
  readSecurity,
  readSession,
  readType,
  type SkillDraft,
} from './blocks.ts';
import { readCommandLine } from './command-line.ts';
import type { Fields } from './fields.ts';
import type { SkillType } from './skill.ts';

/** Shape A, the canonical one: `type` at the top. */
export function readShapeA(fields: Fields): SkillDraft {
  const type = readType(fields, 'type');
  const draft = { ...readBasics(fields), ...readRest(fields), ...(type === null ? {} : { type }) };
  return { ...draft, ...readBody(fields, type) };
}

/** Name, description, version and aliases. */
export function readBasics(fields: Fields): SkillDraft {
  const name = fields.string('name');
  return {
    ...(name === null ? {} : { name }),
    description: fields.string('description') ?? '',
    version: fields.string('version'),
    aliases: fields.strings('aliases'),
  };
}

/** The fields of shapes A and B that do not depend on the type. */
export function readRest(fields: Fields): SkillDraft {
  const timeoutSeconds = fields.positive('timeout');
  if (fields.boolean('requires_worktree') === true) {
    fields.notes.warn(fields.at('requires_worktree'), 'is not done here: the skill runs in the workspace');
  }
  return {
    parameters: readParameters(fields),
    timeoutMs: timeoutSeconds === null ? null : timeoutSeconds * 1000,
    workingDir: fields.string('working_dir'),
    environment: fields.texts('environment'),
    session: readSession(fields, 'session_config', 1000),
    model: fields.string('model'),
    contextFiles: readContextFiles(fields, 'context_files'),
    ...readSecurity(fields),
  };
}

function readBody(fields: Fields, type: SkillType | null): SkillDraft {
  if (type === null) {
    for (const key of ['command', 'args', 'prompt', 'prompt_template']) fields.raw(key);
    return {};
  }
  const isCode = type === 'code_inline' || type === 'code_session';
  const ignored = isCode ? ['prompt', 'prompt_template'] : ['command', 'args'];
  for (const key of ignored) {
    if (fields.has(key)) fields.notes.warn(fields.at(key), `means nothing for a skill of type ${type}`);
  }
  if (!isCode) return { promptTemplate: readPrompt(fields) };
  return readCommandLine(fields, fields.has('args') ? fields.strings('args') : null);
}

function readPrompt(fields: Fields): string | null {
  const template = fields.string('prompt_template');
  const prompt = fields.string('prompt');
  if (template !== null && prompt !== null) {
    fields.notes.error(fields.path, 'both prompt and prompt_template are given; keep one');
  }
  const text = template ?? prompt;
  if (text === null && !fields.has('prompt') && !fields.has('prompt_template')) {
    fields.notes.error(fields.at('prompt_template'), 'is missing');
  }
  return text;
}
