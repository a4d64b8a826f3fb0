import { basename, resolve } from 'node:path';
import type { CommandSpec } from '../../sandbox/isolation.ts';
import type { Json, JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { resolveExecutable } from './executable.ts';
import { holdsSecret, revealSecrets, type Secrets } from './secrets.ts';
import type { Skill } from './skill.ts';
import { fillWith, valueText } from './template.ts';

export interface CommandRequest {
  readonly skill: Skill;
  /** Checked by `validateParameters`; secrets still by name. */
  readonly values: Readonly<JsonObject>;
  readonly secrets: Secrets;
  readonly workspace: string;
  /** The allow-listed environment that the command starts from. */
  readonly env: Readonly<Record<string, string>>;
  /** Q_WORKFLOW_* of this attempt. */
  readonly identity: Readonly<Record<string, string>>;
}

/** Linux refuses an argument or variable of 128 KiB or more (MAX_ARG_STRLEN, execve(2)). */
const MAX_WORD_BYTES = 128 * 1024 - 1;
/** What variables of values may take together; the rest of ARG_MAX is for the environment and argv. */
const MAX_VARIABLES_BYTES = 512 * 1024;

/** The exact argv and environment of one attempt. Throws PARAMETER_INVALID, SECRET_MISSING or SPAWN_FAILED. */
export function buildCommand(request: CommandRequest): CommandSpec {
  const { skill, values, secrets, workspace } = request;
  const cwd = resolve(workspace, skill.workingDir ?? '.');
  const variables = parameterVariables(values, secrets);
  const env = { ...request.env, ...skill.environment, ...variables.env, ...request.identity };
  const file = resolveExecutable(skill.name, skill.command ?? '', cwd, env.PATH ?? '');
  const args = [...skill.literalArgs, ...fillArgs(skill, values, variables.names)];
  return { file, args, cwd, env };
}

/** `SKILL_PARAM_<name>` of a parameter: what is no letter, digit or `_` becomes `_`. */
export function variableName(name: string): string {
  return `SKILL_PARAM_${name.replaceAll(/[^A-Za-z0-9_]/g, '_')}`;
}

interface Variables {
  readonly env: Record<string, string>;
  /** Parameter names that made it into the environment. */
  readonly names: ReadonlySet<string>;
}

/**
 * Values as variables. One that is too long or holds a NUL byte cannot be a variable: it is left out and named in
 * SKILL_PARAMS_ON_STDIN, and is on stdin like all the others. When two names become one, the exact name wins.
 */
function parameterVariables(values: Readonly<JsonObject>, secrets: Secrets): Variables {
  const env: Record<string, string> = {};
  const names = new Set<string>();
  const left: string[] = [];
  let total = 0;
  const isExact = (name: string) => variableName(name) === `SKILL_PARAM_${name}`;
  const ordered = Object.entries(values).sort(([a], [b]) => Number(isExact(b)) - Number(isExact(a)));
  for (const [name, value] of ordered) {
    const key = variableName(name);
    const text = valueText(revealSecrets(value, secrets));
    const size = Buffer.byteLength(text) + key.length + 1;
    if (Object.hasOwn(env, key)) continue;
    if (size > MAX_WORD_BYTES || total + size > MAX_VARIABLES_BYTES || text.includes('\0')) left.push(name);
    else {
      env[key] = text;
      names.add(name);
      total += size;
    }
  }
  if (left.length > 0) env.SKILL_PARAMS_ON_STDIN = left.map((name) => name.replaceAll('\0', '')).join(',');
  return { env, names };
}

const SHELLS: ReadonlySet<string> = new Set(['sh', 'bash', 'dash', 'zsh', 'ksh', 'ash']);

/**
 * Each template gives exactly one argument. In the script of a shell's own `-c` a value is not spliced in but read by
 * the shell from its variable (`{name}` becomes `${SKILL_PARAM_name}`), so that it can never run as code.
 */
function fillArgs(skill: Skill, values: Readonly<JsonObject>, variables: ReadonlySet<string>): string[] {
  const declared = new Set(skill.parameters.map(({ name }) => name));
  const script = skill.literalArgs.length === 0 ? shellScriptIndex(skill) : -1;
  return skill.args.map((template, index) => {
    const { text } = fillWith(template, (name) => {
      const value = Object.hasOwn(values, name) ? (values[name] ?? null) : undefined;
      if (value === undefined) return declared.has(name) ? '' : null;
      if (index === script && variables.has(name)) return `\${${variableName(name)}}`;
      if (index === script)
        throw invalid(skill, name, 'cannot be a variable, so the shell script cannot read it');
      return argumentText(skill, name, value);
    });
    if (Buffer.byteLength(text) > MAX_WORD_BYTES) {
      throw invalid(
        skill,
        template.slice(0, 40),
        'makes an argument over 128 KiB; read it from stdin instead',
      );
    }
    return text;
  });
}

function argumentText(skill: Skill, name: string, value: Json): string {
  if (holdsSecret(value)) {
    throw invalid(skill, name, `is a secret: argv is public, read ${variableName(name)} or stdin instead`);
  }
  const text = valueText(value);
  if (text.includes('\0')) throw invalid(skill, name, 'holds a NUL byte, which no argument can');
  return text;
}

/** Where in `args` the script of `sh -c script` stands, or -1. */
function shellScriptIndex(skill: Skill): number {
  if (!SHELLS.has(basename(skill.command ?? ''))) return -1;
  const flag = skill.args.findIndex((arg) => /^-[a-z]*c$/.test(arg));
  return flag === -1 ? -1 : flag + 1;
}

function invalid(skill: Skill, name: string, why: string): WorkflowError {
  return new WorkflowError('PARAMETER_INVALID', `skill "${skill.name}": "${name}" ${why}`);
}
