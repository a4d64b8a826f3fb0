import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Json, JsonObject } from '../definition/workflow.ts';
import { ensureError, ensureWorkflowError, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';
import type { Skill, SkillNote, SkillParameter } from '../skills/skill.ts';
import { type Part, partNamed } from './text/parts.ts';

export const NO_SKILLS = [
  'No skills here yet.',
  'Put a file into .q-skills/ of this folder: {"name": "hello", "type": "code_inline", "command": "echo", "args": ["hello"]}',
  'How they are written: docs/skills.md',
].join('\n');

/** Every skill that can be named from here. */
export async function listSkills(caller: Caller): Promise<readonly Part[]> {
  const { findSkills } = await import('../skills/find.ts');
  const catalogue = findSkills({
    workspace: caller.workspace,
    home: caller.userHome,
    configDir: caller.configHome,
  });
  return catalogue.list().map((skill) => skillPart(skill, notesOf(skill, catalogue.notes), caller));
}

/** By name or alias, or by the path of a file. Throws NO_SUCH_SKILL. */
export async function findSkill(given: string, caller: Caller): Promise<Part> {
  if (given.includes('/') || given.endsWith('.json')) return readSkill(given, caller);
  const skills = await listSkills(caller);
  const byAlias = skills.find(({ facts }) => facts['aliases']?.includes(given));
  return skills.some(({ name }) => name === given) || byAlias === undefined
    ? partNamed(skills, given, 'skill')
    : byAlias;
}

/** The parameters that a skill declares, by its name or alias; none for one that is not there. */
export async function skillParameters(given: string, caller: Caller): Promise<readonly SkillParameter[]> {
  const { findSkills } = await import('../skills/find.ts');
  const places = { workspace: caller.workspace, home: caller.userHome, configDir: caller.configHome };
  return findSkills(places).get(given)?.parameters ?? [];
}

export interface CheckedSkill {
  readonly name: string;
  readonly inputs: JsonObject;
}

/**
 * A skill by name or alias with its parameters from a command line, read after their declared types. Throws
 * NO_SUCH_SKILL, SKILL_INVALID, or INPUT_INVALID naming every parameter that is wrong.
 */
export async function checkSkillCall(
  given: string,
  params: JsonObject,
  caller: Caller,
): Promise<CheckedSkill> {
  const [{ findSkills }, { hasPatterns, validateParameters }] = await Promise.all([
    import('../skills/find.ts'),
    import('../skills/parameters.ts'),
  ]);
  const places = { workspace: caller.workspace, home: caller.userHome, configDir: caller.configHome };
  const skill = findSkills(places).get(given);
  if (skill === null) {
    await findSkill(given, caller);
    throw new WorkflowError('NO_SUCH_SKILL', `${given} lies in no skill folder`, {
      hint: 'Put the file into .q-skills/ of the workspace, and give its name.',
    });
  }
  const [problem] = skill.problems;
  if (problem !== undefined)
    throw new WorkflowError('SKILL_INVALID', `the skill ${skill.name} cannot be used: ${problem.message}`, {
      hint: `Run q workflow skills validate ${skill.name}.`,
    });
  const inputs = Object.fromEntries(
    Object.entries(params).map(([name, text]) => {
      const parameter = skill.parameters.find((each) => each.name === name);
      return [name, parameter === undefined ? text : readAs(parameter, text)];
    }),
  );
  const matches = hasPatterns(skill) ? await (await import('../skills/patterns.ts')).loadPatternTest() : null;
  try {
    validateParameters(skill, inputs, matches);
  } catch (thrown) {
    const { code, problems } = ensureWorkflowError(thrown);
    if (code !== 'PARAMETER_INVALID') throw thrown;
    throw new WorkflowError('INPUT_INVALID', `the skill ${skill.name} cannot run with these values`, {
      problems: problems.map((each) => ({ ...each, path: each.path.replace('$.inputs.', '--param ') })),
      hint: `Run q workflow skills show ${skill.name} to see its parameters.`,
      cause: thrown,
    });
  }
  return { name: skill.name, inputs };
}

/** A text as the declared type has it; one that cannot be read so stays a text, and is refused by the check. */
function readAs({ type, values }: SkillParameter, text: Json): Json {
  if (type === 'string' || typeof text !== 'string') return text;
  if (type === 'enum' && (values ?? []).includes(text)) return text;
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    if (error instanceof SyntaxError) return text;
    throw error;
  }
}

async function readSkill(path: string, caller: Caller): Promise<Part> {
  const { normaliseSkill } = await import('../skills/normalise.ts');
  const file = resolve(caller.workspace, path);
  let bytes: Uint8Array;
  try {
    bytes = readFileSync(file);
  } catch (error) {
    throw new WorkflowError('NO_SUCH_SKILL', `cannot read ${file}: ${ensureError(error).message}`, {
      cause: error,
    });
  }
  const { skill, notes } = normaliseSkill(bytes, file, caller.workspace);
  return { ...skillPart(skill, notes, caller), source: 'file' };
}

function notesOf(skill: Skill, notes: readonly SkillNote[]): readonly SkillNote[] {
  return notes.filter(({ file }) => file === skill.file);
}

function skillPart(skill: Skill, notes: readonly SkillNote[], { workspace }: Caller): Part {
  return {
    name: skill.name,
    type: skill.type,
    description: skill.description,
    file: skill.file,
    source: skill.file === null ? 'built-in' : skill.file.startsWith(`${workspace}/`) ? 'workspace' : 'user',
    is_usable: skill.problems.length === 0,
    notes,
    facts: factsOf(skill),
  };
}

/** Values of the environment stay out: they may be keys. */
function factsOf(skill: Skill): Part['facts'] {
  const facts: [string, string | readonly string[] | null][] = [
    ['shape', skill.shape],
    ['version', skill.version],
    ['aliases', skill.aliases],
    ['command', skill.command === null ? null : argv(skill)],
    ['prompt', skill.promptTemplate?.split('\n').slice(0, MAX_PROMPT_LINES) ?? null],
    ['parameters', skill.parameters.map(parameterText)],
    ['environment', Object.keys(skill.environment)],
    ['timeout', skill.timeoutMs === null ? null : `${skill.timeoutMs / 1000} s`],
    ['folder', skill.workingDir],
    ['model', skill.model],
  ];
  return Object.fromEntries(
    facts.filter(
      (fact): fact is [string, string | readonly string[]] => fact[1] !== null && fact[1].length > 0,
    ),
  );
}

const MAX_PROMPT_LINES = 12;

function argv({ command, literalArgs, args }: Skill): string {
  return [command ?? '', ...literalArgs, ...args]
    .map((word) => (/^[\w@%+=:,./{}-]+$/.test(word) ? word : JSON.stringify(word)))
    .join(' ');
}

function parameterText({
  name,
  type,
  isRequired,
  default: value,
  values,
  description,
}: SkillParameter): string {
  const kind = values === null ? type : values.map((each) => JSON.stringify(each)).join(' | ');
  const rest = isRequired
    ? 'required'
    : value === undefined
      ? 'optional'
      : `default ${JSON.stringify(value)}`;
  return `${name}: ${kind}, ${rest}${description === '' ? '' : `; ${description}`}`;
}
