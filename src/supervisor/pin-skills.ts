import type { Step, Workflow } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/control.ts';
import { findSkills } from '../skills/find.ts';
import type { Skill } from '../skills/skill.ts';

/** The skills that a workflow names, found from a workspace. Throws SKILL_NOT_FOUND or SKILL_INVALID. */
export function pinSkills(
  workflow: Workflow,
  caller: Caller,
): { skills: Record<string, Skill>; notes: string[] } {
  const catalogue = findSkills({
    workspace: caller.workspace,
    home: caller.userHome,
    configDir: caller.configHome,
  });
  const skills: Record<string, Skill> = {};
  const problems: Problem[] = [];
  for (const [name, stepId] of skillNames(workflow)) {
    const skill = catalogue.get(name);
    if (skill !== null) {
      skills[name] = skill;
      continue;
    }
    const nearest = catalogue.nearest(name);
    const broken = catalogue.notes.find((note) => note.severity === 'error' && note.file.includes(name));
    problems.push({
      severity: 'error',
      path: `step ${stepId}`,
      message:
        broken === undefined
          ? `no skill is called "${name}"`
          : `the skill "${name}" cannot be used: ${broken.message}`,
      ...(nearest === null ? {} : { suggestion: nearest }),
    });
  }
  if (problems.length > 0)
    throw new WorkflowError(
      'SKILL_NOT_FOUND',
      `the workflow ${workflow.name} names skills that are not there`,
      { problems },
    );
  const files = new Set(Object.values(skills).map((skill) => skill.file));
  const notes = catalogue.notes
    .filter((note) => note.severity !== 'error' && files.has(note.file))
    .map((note) => `skill file ${note.file} ${note.path}: ${note.message}`);
  return { skills, notes };
}

/** Skill name → id of the first step that names it, over steps, handlers, undo and rollback steps. */
function skillNames(workflow: Workflow): Map<string, string> {
  const names = new Map<string, string>();
  const pending: Step[] = [...workflow.steps, ...workflow.handlers];
  const policies = [workflow.errorHandling.default, ...Object.values(workflow.errorHandling.perStep)];
  for (const policy of policies) if (policy.handler !== null) pending.push(policy.handler.step);
  for (const handler of workflow.errorHandling.rollback.steps) pending.push(handler.step);
  for (let step = pending.pop(); step !== undefined; step = pending.pop()) {
    if (step.undo !== null) pending.push(step.undo.step);
    switch (step.type) {
      case 'skill':
        if (!names.has(step.skill)) names.set(step.skill, step.id);
        break;
      case 'agent':
        break;
      case 'parallel':
      case 'loop':
        pending.push(...step.steps);
        break;
      case 'conditional':
        pending.push(...step.then, ...step.else);
        break;
    }
  }
  return names;
}
