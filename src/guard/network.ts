import type { AddressClass } from '../../sandbox/network/address.ts';
import { isNarrowEnough, type NetworkRule, type NetworkRules } from '../../sandbox/network/rules.ts';
import type { Workflow, WorkStep } from '../definition/workflow.ts';
import type { GuardedCall } from './policy/calls/call.ts';
import {
  HOOK,
  mayConcernTraffic,
  NETWORK,
  PROGRAM,
  permitsTool,
  SKILL_STEP,
  surelyTraffic,
} from './policy/calls/traffic.ts';
import { type ActiveLayer, activeLayers, inEnvironment, type PolicySet } from './policy/files/policy-set.ts';
import type { Rule } from './policy/rules/compile-rule.ts';
import { leavesOf, type StepTier } from './tiers.ts';

/** What the processes of a step can reach through the proxy of the tier `agent`. */
export interface StepNetwork {
  /** Of the policies by which it was decided. */
  readonly policyHash: string;
  /** Tool → its rules, `@server` for an MCP server, `skill` for the command of a skill step, `hook` for the hooks of an
   * agent, `program` for an agent that is one. Missing: nothing. */
  readonly tools: Readonly<Record<string, NetworkRules>>;
}

export interface NetworkFacts {
  readonly workflow: Workflow;
  readonly tiers: Readonly<Record<string, StepTier>>;
  /** Names of the MCP servers of an agent; null for one that is a program of another maker. */
  readonly serversOf: (agent: string) => readonly string[] | null;
  readonly hasHooks: (agent: string) => boolean;
  /** The policies that hold for a step, and for the agent in it. */
  readonly policiesOf: (step: string, agent: string | null) => PolicySet;
}

/** Tools of the native driver that start something which may use a network. */
const NETWORK_TOOLS = ['http_fetch', 'exec', 'execute_bash', 'use_skill'];

/** The network of every step that has any, by id. Steps of other tiers have none of the proxy's. */
export function decideNetworks(facts: NetworkFacts): Record<string, StepNetwork> {
  const { workflow, tiers, serversOf, hasHooks, policiesOf } = facts;
  const leaves = leavesOf(workflow).filter(({ id }) => tiers[id]?.tier === 'agent');
  const networks = leaves.flatMap((step): [string, StepNetwork][] => {
    const agent = step.type === 'agent' ? step.agent : null;
    const set = policiesOf(step.id, agent);
    const servers = agent === null ? null : serversOf(agent);
    const alone = agent === null ? SKILL_STEP : PROGRAM;
    const hooks = agent !== null && hasHooks(agent) ? [HOOK] : [];
    const tools =
      servers === null ? [alone] : [...NETWORK_TOOLS, ...hooks, ...servers.map((name) => `@${name}`)];
    const open = tools.flatMap((tool): [string, NetworkRules][] => {
      const rules = networkRules(set, tool, trafficOf(workflow, step));
      return rules === null ? [] : [[tool, rules]];
    });
    return open.length === 0 ? [] : [[step.id, { policyHash: set.hash, tools: Object.fromEntries(open) }]];
  });
  return Object.fromEntries(networks);
}

/**
 * What the processes of one tool can reach: what rules of the top layer that surely speak of this traffic allow, less
 * what a layer below does not, and what a rule of any layer that may speak of it asks about or denies. A default of
 * `allow` opens nothing. Null for nothing.
 */
export function networkRules(set: PolicySet, tool: string, asked: GuardedCall): NetworkRules | null {
  const question = inEnvironment(set, asked);
  const layers = activeLayers(set, question.environment);
  const [top, ...below] = layers;
  // Nothing is known of what a file says that cannot be used.
  if (top === undefined || layers.some(({ faults }) => faults.length > 0)) return null;
  const rules = openedBy(top, tool, question);
  const narrow = below
    .filter((layer) => !isOpen(layer, tool, question))
    .map((layer) => openedBy(layer, tool, question));
  if (rules.length === 0 || narrow.some((list) => list.length === 0)) return null;
  const guards = layers.flatMap((layer) => layer.rules).filter(({ effect }) => effect !== 'allow');
  const refuse = guards.filter((rule) => mayConcernTraffic(rule, tool, question)).flatMap(hostRules);
  return { rules, narrow, refuse };
}

/** What a layer opens to a tool. */
export function openedBy(layer: ActiveLayer, tool: string, question: GuardedCall): NetworkRule[] {
  return layer.rules
    .filter((rule) => surelyTraffic(rule, tool, question))
    .flatMap(hostRules)
    .filter(({ host }) => isNarrowEnough(host));
}

/** A layer below the top that has nothing against this tool, wherever it goes, but what its guards say. */
export function isOpen(layer: ActiveLayer, tool: string, question: GuardedCall): boolean {
  return (
    layer.default === null ||
    layer.default === 'allow' ||
    // Agent files and guardrails say which tools, and nothing of where the program of an agent goes.
    (tool === PROGRAM && (layer.layer === 'agent' || layer.layer === 'step')) ||
    layer.rules.some((rule) => permitsTool(rule, tool, question))
  );
}

/** The hosts of a rule as the proxy takes them: of one without names all that its classes or ports mean. */
export function hostRules({ host: pattern, name: by, effect }: Rule): NetworkRule[] {
  if (pattern === null) return [{ host: '*', ports: 'any', by }];
  // The schema knows the classes.
  const classes = pattern.classes as readonly AddressClass[];
  const common = { by, ...(classes.length === 0 ? {} : { classes }) };
  const ports = pattern.ports.length === 0 ? 'any' : pattern.ports;
  if (pattern.names.length === 0) {
    const isBare = classes.length === 0 && effect === 'allow';
    return [{ host: '*', ports, ...common, ...(isBare ? { classes: ['public'] as const } : {}) }];
  }
  return pattern.names.flatMap(({ host, port }): NetworkRule[] => {
    if (port === null) return [{ host, ports, ...common }];
    return ports === 'any' || ports.includes(port) ? [{ host, ports: [port], ...common }] : [];
  });
}

/** What conditions of rules are asked about: the traffic of a step, which has no arguments. */
export function trafficOf(workflow: Workflow, step: WorkStep): GuardedCall {
  return {
    kind: 'tool',
    tool: NETWORK,
    args: {},
    workspace: '/',
    cwd: '/',
    workflow: workflow.name,
    agent: step.type === 'agent' ? step.agent : null,
    step: step.id,
    environment: null,
  };
}
