import type { Json } from '../definition/workflow.ts';
import { Fields, isObject, type NoteList } from './fields.ts';
import type {
  SessionConfig,
  Skill,
  SkillLimits,
  SkillParameter,
  SkillPermissions,
  SkillType,
} from './skill.ts';

/** What the shapes have in common: the blocks of a skill file that mean the same wherever they stand. */

export type SkillDraft = { -readonly [Key in keyof Skill]?: Skill[Key] };

export const DEFAULT_SESSION: SessionConfig = { ttlMs: 300_000, maxSessions: 1, isCleanedUpOnExit: true };
export const NO_LIMITS: SkillLimits = { maxMemoryBytes: null, maxCpuPercent: null, maxExecutionTimeMs: null };
/** The time of a `resource_limits` block that names none. */
const DEFAULT_EXECUTION_TIME_MS = 30_000;

const TYPES: Readonly<Record<string, SkillType>> = {
  code_inline: 'code_inline',
  code_session: 'code_session',
  conversation: 'conversation',
  prompt_inline: 'prompt_inline',
  command: 'code_inline',
};

/** The type in `key`; unknown is an error, `command` is rewritten. */
export function readType(fields: Fields, key: string): SkillType | null {
  const text = fields.string(key);
  if (text === null) {
    if (!fields.has(key)) fields.notes.error(fields.at(key), 'is missing');
    return null;
  }
  const type = Object.hasOwn(TYPES, text) ? TYPES[text] : undefined;
  if (type === undefined) {
    fields.notes.error(
      fields.at(key),
      `"${text}" is no skill type; known are ${Object.keys(TYPES).join(', ')}`,
    );
    return null;
  }
  if (type !== text) fields.notes.rewritten(fields.at(key), `type "${text}" is read as "${type}"`);
  return type;
}

const PARAMETER_TYPES = {
  string: 'string',
  number: 'number',
  integer: 'number',
  boolean: 'boolean',
  enum: 'enum',
  object: 'object',
  array: 'array',
} as const;

/** `parameters` as a list with names or as a map by name; empty when the key is absent. */
export function readParameters(fields: Fields): SkillParameter[] {
  const raw = fields.raw('parameters');
  if (raw === undefined) return [];
  if (!Array.isArray(raw) && !isObject(raw)) {
    fields.notes.error(fields.at('parameters'), 'must be a list or a map of parameters');
    return [];
  }
  const entries: [string | null, Json, string][] = Array.isArray(raw)
    ? raw.map((item, index) => [null, item, `${fields.at('parameters')}[${index}]`])
    : Object.entries(raw).map(([name, item]) => [name, item, `${fields.at('parameters')}.${name}`]);
  const parameters: SkillParameter[] = [];
  for (const [name, item, path] of entries) {
    const parameter = readParameter(name, item, path, fields.notes);
    if (parameter === null) continue;
    if (parameters.some((other) => other.name === parameter.name)) {
      fields.notes.error(path, `parameter "${parameter.name}" is declared twice`);
    } else parameters.push(parameter);
  }
  return parameters;
}

function readParameter(key: string | null, item: Json, path: string, notes: NoteList): SkillParameter | null {
  if (!isObject(item)) {
    notes.error(path, 'must be an object with name and type');
    return null;
  }
  const fields = new Fields(item, path, notes);
  const own = fields.string('name');
  const name = key ?? own;
  if (name === null || name === '') {
    notes.error(path, 'has no name');
    return null;
  }
  const values = fields.raw('values') ?? fields.raw('enum');
  if (values !== undefined && (!Array.isArray(values) || values.length === 0)) {
    notes.error(fields.at('values'), 'must be a list with at least one value');
  }
  const list = Array.isArray(values) && values.length > 0 ? values : null;
  const type = readParameterType(fields, list !== null);
  if (type === 'enum' && list === null) notes.error(path, `parameter "${name}" of type enum has no values`);
  const pattern = fields.string('pattern');
  if (pattern !== null) checkPattern(pattern, fields.at('pattern'), notes);
  const parameter: SkillParameter = {
    name,
    type,
    isRequired: fields.boolean('required') ?? false,
    default: fields.raw('default'),
    values: list,
    pattern,
    description: fields.string('description') ?? '',
  };
  fields.warnUnknown();
  return parameter;
}

function readParameterType(fields: Fields, hasValues: boolean): SkillParameter['type'] {
  const text = fields.string('type') ?? (hasValues ? 'enum' : 'string');
  for (const [known, type] of Object.entries(PARAMETER_TYPES)) {
    if (text !== known) continue;
    if (type !== text) fields.notes.rewritten(fields.at('type'), `type "${text}" is read as "${type}"`);
    return type;
  }
  fields.notes.error(
    fields.at('type'),
    `"${text}" is no type; known are ${Object.keys(PARAMETER_TYPES).join(', ')}`,
  );
  return 'string';
}

/** Only syntax: matching itself is done by a linear-time engine, which has no look-around and no back-references. */
function checkPattern(pattern: string, path: string, notes: NoteList): void {
  const group = /\\[1-9]|\(\?[=!]|\(\?<[=!]/.exec(pattern);
  if (group !== null) {
    notes.error(
      path,
      `"${group[0]}" (look-around, back-reference) is not supported: matching must take linear time`,
    );
    return;
  }
  try {
    new RegExp(pattern, 'u');
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    notes.warn(path, `may be no valid pattern: ${error.message}`);
  }
}

export function readSecurity(fields: Fields): { limits: SkillLimits; permissions: SkillPermissions | null } {
  const security = fields.object('security');
  if (security === null) return { limits: NO_LIMITS, permissions: null };
  const level = security.raw('level');
  if (level !== undefined)
    fields.notes.warn(security.at('level'), 'is a label only: the policy decides what is allowed');
  if (security.has('resource_limit')) {
    fields.notes.warn(
      security.at('resource_limit'),
      'has no defined unit and is ignored; use resource_limits',
    );
  }
  const limits = readLimits(security.object('resource_limits'));
  const permissions = readPermissions(security.object('permissions'));
  security.warnUnknown();
  return { limits, permissions };
}

function readLimits(fields: Fields | null): SkillLimits {
  if (fields === null) return NO_LIMITS;
  const memoryMb = fields.positive('max_memory_mb');
  const cpu = fields.positive('max_cpu_percent');
  const seconds = fields.positive('max_execution_time');
  if (seconds === null) fields.notes.rewritten(fields.at('max_execution_time'), 'is not given: 30 s');
  fields.warnUnknown();
  return {
    maxMemoryBytes: memoryMb === null ? null : Math.round(memoryMb * 1024 * 1024),
    maxCpuPercent: cpu,
    maxExecutionTimeMs: seconds === null ? DEFAULT_EXECUTION_TIME_MS : seconds * 1000,
  };
}

function readPermissions(fields: Fields | null): SkillPermissions | null {
  if (fields === null) return null;
  const permissions = {
    fileRead: readPaths(fields, 'file_read'),
    fileWrite: readPaths(fields, 'file_write'),
    networkAccess: fields.boolean('network_access') ?? false,
  };
  fields.warnUnknown();
  return permissions;
}

/** Paths in the workspace. Of a pattern the folder before its first wildcard counts, which may be wider than meant. */
function readPaths(fields: Fields, key: string): string[] | null {
  if (!fields.has(key)) return null;
  return fields.strings(key).flatMap((label, index) => {
    const place = `${fields.at(key)}[${index}]`;
    if (label.startsWith('~') || label.split('/').includes('..')) {
      fields.notes.warn(place, `"${label}" leads out of the workspace and counts as nothing`);
      return [];
    }
    const wildcard = label.search(/[*?[{]/);
    if (wildcard === -1) return [label];
    const folder = label.slice(0, label.lastIndexOf('/', wildcard) + 1) || './';
    fields.notes.rewritten(place, `"${label}" is read as "${folder}": patterns are not matched`);
    return [folder];
  });
}

/** `session_config` (seconds) or the `session` block of shape D (milliseconds). */
export function readSession(fields: Fields, key: string, unitMs: 1 | 1000): SessionConfig {
  const block = fields.object(key);
  if (block === null) return DEFAULT_SESSION;
  const timeout = block.positive('session_timeout') ?? block.positive('timeout');
  const isCleanedUp = block.boolean('cleanup_on_exit') ?? true;
  if (!isCleanedUp) block.notes.warn(block.at('cleanup_on_exit'), 'sessions always end with their instance');
  if (unitMs === 1 && timeout !== null) {
    block.notes.rewritten(block.at('timeout'), `${timeout} ms is read as ${timeout / 1000} s`);
  }
  const maxSessions = block.positive('max_sessions') ?? DEFAULT_SESSION.maxSessions;
  block.warnUnknown();
  return {
    ttlMs: timeout === null ? DEFAULT_SESSION.ttlMs : timeout * unitMs,
    maxSessions: Math.max(1, Math.floor(maxSessions)),
    isCleanedUpOnExit: true,
  };
}

/** Patterns of context files: a plain list, or a block with `patterns`. Nothing uses them yet, which is said. */
export function readContextFiles(fields: Fields, key: string): string[] {
  if (fields.has(key))
    fields.notes.warn(fields.at(key), 'is not used here: name the files in the prompt or in an input');
  if (Array.isArray(fields.raw(key))) return fields.strings(key);
  const block = fields.object(key);
  if (block === null) return [];
  const patterns = [...block.strings('patterns'), ...block.strings('files')];
  for (const known of ['max_files', 'max_file_size_kb', 'exclude_patterns']) block.raw(known);
  block.warnUnknown();
  return patterns;
}
