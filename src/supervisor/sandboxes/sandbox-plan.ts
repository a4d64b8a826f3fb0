import type { SandboxGround } from '../../../sandbox/launcher/ground.ts';
import type { NetworkRule, NetworkRules } from '../../../sandbox/network/rules.ts';
import { decideNetworks, type StepNetwork } from '../../guard/network.ts';
import { holdTiers, leavesOf, type StepTier } from '../../guard/tiers.ts';
import type { Bootstrap } from '../../protocol/instance-link.ts';
import type { Pins } from '../definitions/pins.ts';
import type { RunPolicies } from '../guard/run-policies.ts';

/** What the policies in force let the sandboxes of a run's steps be, by step id; decided anew for each process. */
export interface SandboxPlan {
  readonly tiers: Readonly<Record<string, StepTier>>;
  readonly networks: Readonly<Record<string, StepNetwork>>;
  /** Agent steps that the policies let change nothing of a repository. */
  readonly keptRepository: readonly string[];
}

export function planSandbox({ workflow, tiers: pinned, agents }: Pins, policies: RunPolicies): SandboxPlan {
  const tiers = holdTiers(workflow, pinned, policies.all);
  const networks = decideNetworks({
    workflow,
    tiers,
    serversOf: (name) =>
      agents[name]?.driver === undefined ? Object.keys(agents[name]?.mcpServers ?? {}) : null,
    hasHooks: (name) => agents[name]?.hooks !== undefined,
    policiesOf: (step, agent) => policies.of(step, agent),
  });
  const keptRepository = leavesOf(workflow).flatMap((step) =>
    step.type === 'agent' && !policies.mayWriteRepository(step) ? [step.id] : [],
  );
  return { tiers, networks, keptRepository };
}

/** What an instance is told of its sandboxes. */
export function bootSandbox(
  { tiers, networks, keptRepository }: SandboxPlan,
  ground: SandboxGround,
): Bootstrap['sandbox'] {
  const rules = Object.entries(networks).map(([id, { tools }]) => [id, tools] as const);
  return { ground, steps: tiers, networks: Object.fromEntries(rules), keptRepository };
}

/** For the audit: who has which rules by which policies, and the rules, each set of them once. */
export function networkRecord({ networks }: SandboxPlan): Readonly<Record<string, unknown>> {
  const all: NetworkRules[] = [];
  const known = new Map<string, number>();
  const numberOf = (rules: NetworkRules): number => {
    const text = JSON.stringify(rules);
    const found = known.get(text) ?? all.push(rules) - 1;
    known.set(text, found);
    return found;
  };
  const steps = Object.entries(networks).map(([id, { policyHash, tools }]) => {
    const numbers = Object.entries(tools).map(([tool, rules]) => [tool, numberOf(rules)] as const);
    return [id, { policy_hash: policyHash, tools: Object.fromEntries(numbers) }] as const;
  });
  return { networks: Object.fromEntries(steps), network_rules: all };
}

/** Step id → tool → what it can reach, for people: `api.example.com:443`. What is refused of it is in the audit. */
export function shownNetworks({
  networks,
}: SandboxPlan): Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> {
  const steps = Object.entries(networks).map(([id, { tools }]) => {
    const shown = Object.entries(tools).map(([tool, rules]) => [tool, shownRules(rules)] as const);
    return [id, Object.fromEntries(shown)] as const;
  });
  return Object.fromEntries(steps);
}

function shownRules({ rules }: NetworkRules): string[] {
  return [...new Set(rules.map(shownRule))];
}

function shownRule({ host, ports, classes }: NetworkRule): string {
  const name = host.includes(':') ? `[${host}]` : host;
  const port = ports === 'any' ? '*' : ports.join(',');
  return `${name}:${port}${classes === undefined ? '' : ` (${classes.join(', ')})`}`;
}
