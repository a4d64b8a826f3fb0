import { findAgentFile } from '../../agents/files/find.ts';
import type { Places } from '../../definition/places.ts';
import { allSteps } from '../../definition/references.ts';
import type { Workflow } from '../../definition/workflow.ts';
import { type Problem, WorkflowError } from '../../errors/workflow-error.ts';
import type { Caller } from '../../protocol/caller.ts';
import { findSkills, type SkillCatalogue } from '../../skills/find.ts';
import type { Skill } from '../../skills/skill.ts';

/**
 * The skills that a workflow names, found from a workspace, in all steps, handlers, undo and rollback steps. Throws
 * SKILL_NOT_FOUND (or SKILL_INVALID, AGENT_NOT_FOUND when there is nothing else) naming every one that is missing.
 */
export function pinSkills(
  workflow: Workflow,
  caller: Caller,
  places: Places = new Map(),
): { skills: Record<string, Skill>; notes: string[] } {
  const catalogue = findSkills({
    workspace: caller.workspace,
    home: caller.userHome,
    configDir: caller.configHome,
  });
  const skills: Record<string, Skill> = {};
  const missing: Problem[] = [];
  const invalid: Problem[] = [];
  const lost: Problem[] = [];
  for (const [name, stepId] of named(workflow, 'skill')) {
    const skill = catalogue.get(name);
    if (skill === null) missing.push(missingSkill(catalogue, name, placeOf(stepId, places)));
    else if (skill.problems.length > 0) invalid.push(...invalidSkill(skill, placeOf(stepId, places)));
    else skills[name] = skill;
  }
  for (const [name, stepId] of named(workflow, 'agent'))
    if (findAgentFile(name, { workspace: caller.workspace, home: caller.userHome }) === null)
      lost.push({
        severity: 'error',
        path: placeOf(stepId, places),
        message: `no agent is called "${name}"`,
      });
  const problems = [...missing, ...invalid, ...lost];
  if (problems.length > 0) {
    const code =
      missing.length > 0 ? 'SKILL_NOT_FOUND' : invalid.length > 0 ? 'SKILL_INVALID' : 'AGENT_NOT_FOUND';
    const what = `the workflow ${workflow.name} names skills or agents that are not there or cannot be used`;
    throw new WorkflowError(code, what, { problems });
  }
  const files = new Set(Object.values(skills).map((skill) => skill.file));
  const notes = catalogue.notes
    .filter((note) => note.severity !== 'error' && files.has(note.file))
    .map((note) => `skill file ${note.file} ${note.path}: ${note.message}`);
  return { skills, notes };
}

/** What an agent may choose from: every sound skill that is a command or a text. */
export function usableSkills(caller: Caller): Record<string, Skill> {
  const catalogue = findSkills({
    workspace: caller.workspace,
    home: caller.userHome,
    configDir: caller.configHome,
  });
  const usable = catalogue
    .list()
    .filter(
      ({ type, problems }) => problems.length === 0 && (type === 'code_inline' || type === 'prompt_inline'),
    );
  return Object.fromEntries(usable.map((skill) => [skill.name, skill]));
}

/** Name of a skill or agent → id of the first step that names it. */
function named(workflow: Workflow, type: 'skill' | 'agent'): Map<string, string> {
  const names = new Map<string, string>();
  for (const step of allSteps(workflow)) {
    const name = step.type === 'skill' ? step.skill : step.type === 'agent' ? step.agent : null;
    if (name !== null && step.type === type && !names.has(name)) names.set(name, step.id);
  }
  return names;
}

/** A definition that was pinned earlier has no places: its steps are named. */
export function placeOf(stepId: string, places: Places): string {
  return places.get(stepId) ?? `step ${stepId}`;
}

function missingSkill(catalogue: SkillCatalogue, name: string, path: string): Problem {
  const nearest = catalogue.nearest(name);
  return {
    severity: 'error',
    path,
    message: `no skill is called "${name}"`,
    ...(nearest === null ? {} : { suggestion: nearest }),
  };
}

function invalidSkill(skill: Skill, place: string): Problem[] {
  return skill.problems.map(({ path, message }) => ({
    severity: 'error',
    path: place,
    message: `the skill "${skill.name}" (${skill.file ?? 'built-in'}) cannot be used: ${path} ${message}`,
  }));
}
