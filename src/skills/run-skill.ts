import type { Scope } from '../../sandbox/isolation.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import { hasPatterns, validateParameters } from './parameters.ts';
import { loadPatternTest } from './patterns.ts';
import { runPrompt } from './prompt.ts';
import { type CodeRequest, type CodeResult, runCode } from './run-code.ts';
import type { SessionPool } from './session-pool.ts';
import type { Skill } from './skill.ts';

export interface SkillRequest extends Omit<CodeRequest, 'skill' | 'values' | 'scope'> {
  /** As the engine resolved them; checked here against the skill's parameters. */
  readonly inputs: Readonly<JsonObject>;
  /** Opens the scope of this attempt; called once, only for code_inline; the caller removes it afterwards. */
  readonly openScope: () => Scope;
  /** The sessions of the instance. */
  readonly sessions: SessionPool;
}

/** True when running the skill touches nothing: no start needs to be journaled before it. */
export function isEffectFree(skill: Skill): boolean {
  return skill.type === 'prompt_inline';
}

/** Throws SKILL_INVALID with its problems when the skill cannot be used. */
export function assertUsable(skill: Skill): void {
  if (skill.problems.length === 0) return;
  const problems: Problem[] = skill.problems.map(({ path, message }) => ({
    severity: 'error',
    path,
    message,
  }));
  const listed = problems.map(({ path, message }) => `${path} ${message}`).join('; ');
  throw new WorkflowError('SKILL_INVALID', `skill "${skill.name}" (${skill.file ?? 'built-in'}): ${listed}`, {
    problems,
  });
}

/** Runs one attempt of a skill of any type. Rejects with a WorkflowError; an abort resolves as cancelled. */
export async function runSkill(skill: Skill, request: SkillRequest): Promise<CodeResult> {
  assertUsable(skill);
  const matches = hasPatterns(skill) ? await loadPatternTest() : null;
  const values = validateParameters(skill, request.inputs, matches);
  switch (skill.type) {
    case 'prompt_inline':
      return promptResult(skill, values, request.outputs);
    case 'code_inline':
      if (request.signal.aborted) return { kind: 'cancelled', survivors: [] };
      return await runCode({ ...request, skill, values, scope: request.openScope() });
    case 'code_session':
      return await request.sessions.call({ ...request, skill, values });
    case 'conversation':
      throw new WorkflowError(
        'MODEL_NOT_CONFIGURED',
        `skill "${skill.name}" is a conversation: it is run by the agent driver, not as a command`,
      );
  }
}

function promptResult(skill: Skill, values: JsonObject, outputs: readonly string[]): CodeResult {
  const { result, warnings } = runPrompt(skill, values);
  const [only] = outputs;
  const named = outputs.length === 1 && only !== undefined ? { [only]: result.text } : {};
  return { kind: 'completed', result: { ...named, ...result }, warnings, usage: null };
}
