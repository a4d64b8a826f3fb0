import { hashJson } from '../../../audit/canonical.ts';
import { DEFAULT_ENVIRONMENT, type GuardedCall } from '../calls/call.ts';
import type { Rule } from '../rules/compile-rule.ts';
import { type Decision, LAYERS, type Layer, type PolicyFile } from './policy-file.ts';

/** A file that was read, checked and compiled. */
export interface LoadedPolicy {
  readonly id: string;
  /** Where it was read from; null for what is made from an agent file or step. */
  readonly file: string | null;
  readonly layer: Layer;
  readonly environments: readonly string[];
  readonly isShadow: boolean;
  readonly default: Decision | null;
  readonly rules: readonly Rule[];
  /** Limits and the like; empty for a file that can't be used. */
  readonly content: PolicyFile;
  /** Why the file can't be used; its layer denies everything then. */
  readonly fault: string | null;
  readonly hash: string;
}

/** All policies that hold for a run. Immutable: what is decided by it can be decided again. */
export interface PolicySet {
  readonly policies: readonly LoadedPolicy[];
  /** Stands in for the layers with authority where there is none of them. */
  readonly fallback: LoadedPolicy | null;
  /** What no layer lifts. */
  readonly guard: readonly Rule[];
  /** That of calls which name none. */
  readonly environment: string;
  readonly hash: string;
}

/** The files of the top layer that hold for an environment as one, or one file of a layer below. */
export interface ActiveLayer {
  readonly layer: Layer;
  readonly default: Decision | null;
  readonly rules: readonly Rule[];
  readonly faults: readonly LoadedPolicy[];
}

export function policySet(
  policies: readonly LoadedPolicy[],
  guard: readonly Rule[],
  fallback: LoadedPolicy | null = null,
  environment: string = DEFAULT_ENVIRONMENT,
): PolicySet {
  const all = fallback === null ? policies : [...policies, fallback];
  const files = all.map(({ layer, id, hash: each }) => `${layer}/${id} ${each}`).sort();
  const hash = hashJson(environment === DEFAULT_ENVIRONMENT ? files : { environment, files });
  return { policies, fallback, guard, environment, hash };
}

/** A set with further files, such as those of an agent or step. They narrow it, and never become its top. */
export function withPolicies(set: PolicySet, policies: readonly LoadedPolicy[]): PolicySet {
  return policySet([...set.policies, ...policies], set.guard, set.fallback, set.environment);
}

/** A call in the environment that it names, or else that of the policies. */
export function inEnvironment<C extends Pick<GuardedCall, 'environment'>>(
  set: PolicySet,
  call: C,
): C & { readonly environment: string } {
  return { ...call, environment: call.environment ?? set.environment };
}

/** These may say what is allowed; the layers below them, which anybody can bring along, only what is not. */
const WITH_AUTHORITY: readonly Layer[] = ['organisation', 'environment', 'user'];

/** The layers that hold for an environment, the top first; files in shadow mode apart. */
export function activeLayers(set: PolicySet, environment: string): readonly ActiveLayer[] {
  const known = layersOf.get(set);
  const found = known?.get(environment);
  if (found !== undefined) return found;
  const layers = layersFor(set, environment);
  layersOf.set(set, new Map(known).set(environment, layers));
  return layers;
}

const layersOf = new WeakMap<PolicySet, Map<string, readonly ActiveLayer[]>>();

function layersFor(set: PolicySet, environment: string): readonly ActiveLayer[] {
  const layers = LAYERS.map((layer) =>
    activePolicies(set, environment).filter((policy) => policy.layer === layer),
  ).filter((policies) => policies.length > 0);
  // Below the top each file narrows by itself: no other file of its layer may widen what it leaves.
  return layers.flatMap((policies, index) =>
    index === 0 ? [layerOf(policies)] : policies.map((policy) => layerOf([policy])),
  );
}

/** The files that hold for an environment, those in shadow mode apart. */
export function activePolicies(set: PolicySet, environment: string): readonly LoadedPolicy[] {
  const active = set.policies.filter((policy) => !policy.isShadow && isActive(policy, environment));
  const hasTop = active.some(({ layer }) => WITH_AUTHORITY.includes(layer));
  return hasTop || set.fallback === null ? active : [set.fallback, ...active];
}

export function shadowPolicies(set: PolicySet, environment: string): readonly LoadedPolicy[] {
  return set.policies.filter((policy) => policy.isShadow && isActive(policy, environment));
}

/** A file that can't be used may be for any environment. */
function isActive(policy: LoadedPolicy, environment: string): boolean {
  return (
    policy.fault !== null || policy.environments.includes('*') || policy.environments.includes(environment)
  );
}

function layerOf(policies: readonly LoadedPolicy[]): ActiveLayer {
  const [first] = policies;
  if (first === undefined) throw new Error('a layer has at least one file');
  return {
    layer: first.layer,
    default: strictest(policies.map((policy) => policy.default)),
    rules: policies.flatMap((policy) => policy.rules),
    faults: policies.filter((policy) => policy.fault !== null),
  };
}

const STRICTNESS = ['allow', 'ask', 'deny'] as const satisfies readonly Decision[];

/** The strictest of some decisions; null when there is none. */
export function strictest(decisions: readonly (Decision | null)[]): Decision | null {
  return decisions.reduce(
    (worst, each) =>
      each === null || (worst !== null && STRICTNESS.indexOf(worst) >= STRICTNESS.indexOf(each))
        ? worst
        : each,
    null,
  );
}
