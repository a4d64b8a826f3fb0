/** Which of the ways out of a step is taken: its rules come first, then what approved calls were given. */
import type { NetworkReason } from './events.ts';
import type { OpenGrant } from './grants.ts';
import { judgeTarget, type NetworkRule, type Rules, reachableAddresses } from './rules.ts';
import type { Target } from './target.ts';

export interface Way {
  readonly rule: NetworkRule;
  /** Null: the rules of the process open it. */
  readonly grant: OpenGrant | null;
  readonly rules: Rules;
}

export type Ways =
  | { readonly isListed: true; readonly ways: readonly [Way, ...Way[]] }
  | { readonly isListed: false; readonly reason: NetworkReason; readonly rule: NetworkRule | null };

/** What says most about a refusal stands first. */
const REASONS = ['host_refused', 'port_not_listed', 'host_not_listed'] as const;

/** Every way on which a target is listed, as far as its text says. */
export function waysTo(target: Target, rules: Rules, grants: readonly OpenGrant[]): Ways {
  const all = [
    { rules, grant: null },
    ...grants.flatMap((grant) => grant.ways.map((way) => ({ rules: way, grant }))),
  ].map((way) => ({ ...way, verdict: judgeTarget(way.rules, target) }));
  const listed = all.flatMap(({ verdict, ...way }): Way[] =>
    verdict.isListed ? [{ ...way, rule: verdict.rule }] : [],
  );
  const [first, ...others] = listed;
  if (first !== undefined) return { isListed: true, ways: [first, ...others] };
  const refusals = all.flatMap(({ verdict }) => (verdict.isListed ? [] : [verdict]));
  for (const reason of REASONS) {
    const found = refusals.find((refusal) => refusal.reason === reason);
    if (found !== undefined) return { isListed: false, reason, rule: found.rule };
  }
  return { isListed: false, reason: 'host_not_listed', rule: null };
}

/** The first way on which some of the addresses may be connected to; null when there is none. */
export function openWay(
  ways: readonly Way[],
  target: Target,
  resolved: readonly string[],
  isOwn: (address: string) => boolean,
): { readonly way: Way; readonly addresses: readonly string[] } | null {
  for (const way of ways) {
    if (way.grant?.over.aborted === true) continue;
    const addresses = reachableAddresses(way.rules, target, resolved, isOwn);
    if (addresses.length > 0) return { way, addresses };
  }
  return null;
}
