import { isLaxer, type Tier } from '../../sandbox/launcher/tier.ts';
import { allSteps } from '../definition/references.ts';
import { isWorkStep, type Workflow, type WorkStep } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';

export interface StepTier {
  readonly tier: Tier;
  readonly mode: 'required' | 'best_effort';
}

const DEFAULTS: Readonly<Record<WorkStep['type'], StepTier>> = {
  skill: { tier: 'skill', mode: 'best_effort' },
  agent: { tier: 'agent', mode: 'required' },
};

/**
 * The tier and mode of every leaf step, by id. A file may always ask for a stricter tier than its step would have, for
 * a laxer one only where something grants it. Throws TIER_NOT_GRANTED with every field that asks for too much;
 * `file` is named in it.
 */
export function decideTiers(workflow: Workflow, file: string): Record<string, StepTier> {
  const leaves = allSteps(workflow).filter(isWorkStep);
  const problems = leaves.flatMap(problemOf);
  if (problems.length > 0)
    throw new WorkflowError(
      'TIER_NOT_GRANTED',
      `${file} asks for a laxer tier than its steps may have: ${problems.map((p) => `${p.path} ${p.message}`).join('; ')}`,
      { problems, details: { file } },
    );
  return Object.fromEntries(
    leaves.map((step) => {
      const usual = DEFAULTS[step.type];
      return [step.id, { tier: step.sandbox?.tier ?? usual.tier, mode: step.sandbox?.mode ?? usual.mode }];
    }),
  );
}

/** The laxest tier that a policy lets a step have, or null when none says anything. There are no policies yet. */
export function grantedTier(_step: WorkStep): Tier | null {
  return null;
}

function problemOf(step: WorkStep): Problem[] {
  const asked = step.sandbox?.tier ?? null;
  const allowed = grantedTier(step) ?? DEFAULTS[step.type].tier;
  if (asked === null || !isLaxer(asked, allowed)) return [];
  const origin = step.sandbox?.tierOf ?? null;
  return [
    {
      severity: 'error',
      path: origin === null ? 'sandbox.tier' : `step ${origin}: sandbox.tier`,
      message: `"${asked}" is laxer than "${allowed}", which the ${step.type} step "${step.id}" has`,
    },
  ];
}
