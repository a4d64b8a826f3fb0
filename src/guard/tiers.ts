import { isLaxer, type Tier } from '../../sandbox/launcher/tier.ts';
import { allSteps } from '../definition/references.ts';
import { isWorkStep, type Workflow, type WorkStep } from '../definition/workflow.ts';
import { type Problem, WorkflowError } from '../errors/workflow-error.ts';
import { LAYERS } from './policy/files/policy-file.ts';
import { activePolicies, type LoadedPolicy, type PolicySet } from './policy/files/policy-set.ts';

export interface StepTier {
  readonly tier: Tier;
  readonly mode: 'required' | 'best_effort';
}

/** The laxest tier that a step may have, and the file of a policy that says so; null: none speaks of it. */
export interface TierGrant {
  readonly tier: Tier;
  readonly by: LoadedPolicy | null;
}

const DEFAULTS: Readonly<Record<WorkStep['type'], StepTier>> = {
  skill: { tier: 'skill', mode: 'best_effort' },
  agent: { tier: 'agent', mode: 'required' },
};

/**
 * The tier and mode of every leaf step, by id. A file may always ask for a stricter tier than its step would have, for
 * a laxer one only where the policies grant it; where they allow less than its step would have, it gets that. Throws
 * TIER_NOT_GRANTED with every field that asks for too much; `file` is named in it.
 */
export function decideTiers(workflow: Workflow, file: string, set: PolicySet): Record<string, StepTier> {
  const leaves = leavesOf(workflow);
  const problems = leaves.flatMap((step) => problemOf(step, set));
  if (problems.length > 0)
    throw new WorkflowError(
      'TIER_NOT_GRANTED',
      `${file} asks for a laxer tier than its steps may have: ${problems.map((p) => `${p.path} ${p.message}`).join('; ')}`,
      { problems, details: { file } },
    );
  return Object.fromEntries(
    leaves.map((step) => {
      const usual = DEFAULTS[step.type];
      const tier = step.sandbox?.tier ?? stricter(usual.tier, grantedTier(set, step).tier);
      return [step.id, { tier, mode: step.sandbox?.mode ?? usual.mode }];
    }),
  );
}

/** Tiers as they were decided when a run began, held to what the policies grant now: a grant may have been taken back. */
export function holdTiers(
  workflow: Workflow,
  tiers: Readonly<Record<string, StepTier>>,
  set: PolicySet,
): Record<string, StepTier> {
  const held = leavesOf(workflow).flatMap((step): [string, StepTier][] => {
    const pinned = tiers[step.id];
    if (pinned === undefined) return [];
    return [[step.id, { ...pinned, tier: stricter(pinned.tier, grantedTier(set, step).tier) }]];
  });
  return { ...tiers, ...Object.fromEntries(held) };
}

/**
 * The laxest tier that a step may have. The files of the top layer grant it, the strictest of those that speak of the
 * step; files below only narrow. Within a file what it says of the skill or agent by name counts. Where a file of any
 * layer cannot be used, nothing laxer than usual is granted.
 */
export function grantedTier(set: PolicySet, step: WorkStep): TierGrant {
  const usual = DEFAULTS[step.type].tier;
  const policies = activePolicies(set, set.environment);
  const top = topOf(policies);
  const said = policies.flatMap((policy): TierGrant[] => {
    const tier = saidOf(policy, step);
    return tier === null ? [] : [{ tier, by: policy }];
  });
  const isGranted = said.some(({ by }) => by?.layer === top) && policies.every(({ fault }) => fault === null);
  const start: TierGrant[] = isGranted ? [] : [{ tier: usual, by: null }];
  const [first = { tier: usual, by: null }, ...rest] = [...start, ...said];
  return rest.reduce((strictest, each) => (isLaxer(strictest.tier, each.tier) ? each : strictest), first);
}

function topOf(policies: readonly LoadedPolicy[]): LoadedPolicy['layer'] | null {
  const layers = policies.map(({ layer }) => layer);
  return LAYERS.find((layer) => layers.includes(layer)) ?? null;
}

function saidOf({ content: { tiers = {} } }: LoadedPolicy, step: WorkStep): Tier | null {
  const name = step.type === 'skill' ? step.skill : step.agent;
  const named = `${step.type}:${name}`;
  if (Object.hasOwn(tiers, named)) return tiers[named] ?? null;
  return Object.hasOwn(tiers, step.type) ? (tiers[step.type] ?? null) : null;
}

function problemOf(step: WorkStep, set: PolicySet): Problem[] {
  const asked = step.sandbox?.tier ?? null;
  const grant = grantedTier(set, step);
  if (asked === null || !isLaxer(asked, grant.tier)) return [];
  const origin = step.sandbox?.tierOf ?? null;
  const given = `"${asked}" is laxer than "${grant.tier}", which the ${step.type} step "${step.id}" has`;
  return [
    {
      severity: 'error',
      path: origin === null ? 'sandbox.tier' : `step ${origin}: sandbox.tier`,
      message: `${given} (${whoWould(step, asked, grant, set)})`,
    },
  ];
}

/** The policy that would have to say otherwise. */
function whoWould(step: WorkStep, asked: Tier, { by }: TierGrant, set: PolicySet): string {
  const policies = activePolicies(set, set.environment);
  const broken = policies.find(({ fault }) => fault !== null);
  if (by !== null) return `the policy ${named(by)} allows no laxer one`;
  if (broken !== undefined) return `the policy ${named(broken)} cannot be used`;
  const words = `"tiers": {"${step.type}": "${asked}"}`;
  const top = policies.find((policy) => policy.layer === topOf(policies) && policy !== set.fallback);
  if (top === undefined) return `a policy of the organisation or the user would have to grant it: ${words}`;
  return `the policy ${named(top)} would have to grant it: ${words}`;
}

function named({ layer, id, file }: LoadedPolicy): string {
  return file === null ? `${layer}/${id}` : `${layer}/${id} (${file})`;
}

function stricter(a: Tier, b: Tier): Tier {
  return isLaxer(a, b) ? b : a;
}

/** The steps that run something, wherever they are in the file. */
export function leavesOf(workflow: Workflow): WorkStep[] {
  return allSteps(workflow).filter(isWorkStep);
}
