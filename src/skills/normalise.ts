import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { parseJsonText } from '../definition/json-text.ts';
import { decodeUtf8 } from '../definition/utf8.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { DEFAULT_SESSION, NO_LIMITS, type SkillDraft } from './blocks.ts';
import { Fields, isObject, NoteList } from './fields.ts';
import { readShapeA } from './shape-a.ts';
import { readShapeB } from './shape-b.ts';
import { readShapeC } from './shape-c.ts';
import { readShapeD } from './shape-d.ts';
import type { Skill, SkillNote, SkillShape } from './skill.ts';

export interface NormalisedSkill {
  readonly skill: Skill;
  readonly notes: readonly SkillNote[];
}

const NAME = /^[A-Za-z0-9_-]+$/;

/**
 * Reads the bytes of a skill file of any shape into the one model, with a note for all that was changed or ignored.
 * Never throws: a file that cannot be read gives an unusable skill, named after the file, with its `problems`, so
 * that using it says why instead of "not found" or of quietly running a namesake from another folder.
 */
export function normaliseSkill(bytes: Uint8Array, file: string, workspace: string): NormalisedSkill {
  const notes = new NoteList(file);
  const content = parse(bytes, notes);
  const shape = content === null ? 'A' : detectShape(content);
  const draft = content === null ? {} : readShape(content, shape, notes, workspace);
  const name = readName(draft, file, content !== null, notes);
  const skill: Skill = {
    type: 'code_inline',
    shape,
    description: '',
    version: null,
    command: null,
    literalArgs: [],
    args: [],
    promptTemplate: null,
    parameters: [],
    workingDir: null,
    environment: {},
    timeoutMs: null,
    limits: NO_LIMITS,
    permissions: null,
    session: DEFAULT_SESSION,
    model: null,
    contextFiles: [],
    ...draft,
    aliases: readAliases(draft, notes),
    name,
    file,
    hash: createHash('sha256').update(bytes).digest('hex'),
    problems: [],
  };
  warnPlaces(skill, notes);
  return { skill: { ...skill, problems: notes.errors }, notes: notes.all };
}

/** `executor` or `metadata` make D, `implementation` C, `type` A, else `skill_type` B; without any it is a broken A. */
export function detectShape(content: JsonObject): SkillShape {
  const has = (key: string) => Object.hasOwn(content, key);
  if (has('metadata') && (has('skill_type') || !has('type'))) return 'D';
  if (has('implementation')) return 'C';
  if (has('type')) return 'A';
  return has('skill_type') ? 'B' : 'A';
}

function parse(bytes: Uint8Array, notes: NoteList): JsonObject | null {
  const text = decodeUtf8(bytes);
  if (typeof text !== 'string') {
    notes.error('$', text.message);
    return null;
  }
  const { value, problems } = parseJsonText(text);
  if (value === undefined) {
    const why = problems[0]?.message.replace(/^not valid JSON/, 'is no valid JSON') ?? 'is no valid JSON';
    notes.error('$', text.trim() === '' ? 'is empty' : why);
    return null;
  }
  // Of a key that is given twice the last one counts, as for most that read such files.
  for (const { path, message } of problems) notes.warn(path, message);
  if (isObject(value)) return value;
  notes.error('$', 'must be a JSON object');
  return null;
}

function readShape(content: JsonObject, shape: SkillShape, notes: NoteList, workspace: string): SkillDraft {
  const fields = new Fields(content, '$', notes);
  const draft = {
    A: () => readShapeA(fields),
    B: () => readShapeB(fields),
    C: () => readShapeC(fields, workspace),
    D: () => readShapeD(fields),
  }[shape]();
  fields.warnUnknown();
  return draft;
}

function readName(draft: SkillDraft, file: string, isParsed: boolean, notes: NoteList): string {
  const fallback = basename(file, '.json');
  if (draft.name === undefined) {
    if (isParsed) notes.error('$.name', 'is missing');
    return fallback;
  }
  if (NAME.test(draft.name)) return draft.name;
  notes.error('$.name', `"${draft.name}" may hold letters, digits, "_" and "-" only`);
  return fallback;
}

function readAliases(draft: SkillDraft, notes: NoteList): string[] {
  return (draft.aliases ?? []).filter((alias) => {
    if (NAME.test(alias)) return true;
    notes.warn('$.aliases', `alias "${alias}" is left out: letters, digits, "_" and "-" only`);
    return false;
  });
}

/** Places that will not do what their author may expect. */
function warnPlaces(skill: Skill, notes: NoteList): void {
  const place = /(?<!\$)\{[A-Za-z_][\w-]*\}/;
  if (skill.command !== null && place.test(skill.command)) {
    notes.error('$.command', 'the command itself may not be a template: values go into args');
  }
  if (skill.type === 'code_session' && skill.args.some((arg) => place.test(arg))) {
    notes.warn('$.args', 'a session starts once: places in its args are not filled; values come by stdin');
  }
}
