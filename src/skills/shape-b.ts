import { readType, type SkillDraft } from './blocks.ts';
import { readCommandLine } from './command-line.ts';
import type { Fields } from './fields.ts';
import { readBasics, readRest } from './shape-a.ts';

/** Shape B: `skill_type` at the top; for prompt types `command` holds the prompt. */
export function readShapeB(fields: Fields): SkillDraft {
  const type = readType(fields, 'skill_type');
  fields.notes.rewritten(fields.at('skill_type'), 'shape B: skill_type is read as type');
  const draft: SkillDraft = { ...readBasics(fields), ...readRest(fields) };
  if (type === null) {
    for (const key of ['command', 'args']) fields.raw(key);
    return draft;
  }
  if (type === 'code_inline' || type === 'code_session') {
    return { ...draft, type, ...readCommandLine(fields, fields.has('args') ? fields.strings('args') : null) };
  }
  return { ...draft, type, promptTemplate: readPrompt(fields) };
}

function readPrompt(fields: Fields): string | null {
  const given = ['command', 'prompt_template', 'prompt'].filter((key) => fields.has(key));
  const [first] = given;
  if (first === undefined) {
    fields.notes.error(fields.at('command'), 'is missing: it holds the prompt');
    return null;
  }
  if (given.length > 1) fields.notes.error(fields.path, `${given.join(' and ')} are given; keep one`);
  if (first === 'command') fields.notes.rewritten(fields.at('command'), 'is read as prompt_template');
  return fields.string(first);
}
