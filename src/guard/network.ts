import type { NetworkRule } from '../../sandbox/network/rules.ts';
import { allSteps } from '../definition/references.ts';
import type { LeafStep, Workflow } from '../definition/workflow.ts';

/** The rules of every leaf step that has any, by id. */
export function decideNetworks(workflow: Workflow): Record<string, readonly NetworkRule[]> {
  const leaves = allSteps(workflow).filter((step) => step.type === 'skill' || step.type === 'agent');
  const rules = leaves.map((step) => [step.id, networkRules(step)] as const);
  return Object.fromEntries(rules.filter(([, each]) => each.length > 0));
}

/**
 * What a step whose network is the proxy may reach. There are no policies yet, so nothing: such a step has its own
 * loopback and no way out of it.
 */
function networkRules(_step: LeafStep): readonly NetworkRule[] {
  return [];
}
