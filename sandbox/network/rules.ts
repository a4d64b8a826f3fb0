import { addressClass, canonicalAddress } from './address.ts';
import { hostText, normaliseHost } from './host.ts';
import type { Target } from './target.ts';

/** One host, or with `*.` all hosts below one, and the ports on it. What no rule lists cannot be reached. */
export interface NetworkRule {
  readonly host: string;
  readonly ports: readonly number[];
}

/** A rule in normal form, with the rule as it was given. */
interface Matcher {
  readonly kind: 'name' | 'below' | 'address';
  readonly text: string;
  readonly rule: NetworkRule;
}

export type Rules = readonly Matcher[];

export type TargetVerdict =
  | { readonly isListed: true; readonly rule: NetworkRule }
  | { readonly isListed: false; readonly reason: 'host_not_listed' | 'port_not_listed' };

/** Throws RangeError, with the rule, for one that could never match or would match too much. */
export function compileRules(rules: readonly NetworkRule[]): Rules {
  return rules.map(compile);
}

/** Whether a rule lists this host with this port. */
export function judgeTarget(rules: Rules, { host, port }: Target): TargetVerdict {
  const text = hostText(host);
  const about = rules.filter((each) => {
    if (host.kind === 'address') return each.kind === 'address' && each.text === text;
    return each.kind === 'name' ? each.text === text : each.kind === 'below' && text.endsWith(each.text);
  });
  const found = about.find(({ rule }) => rule.ports.includes(port));
  if (found !== undefined) return { isListed: true, rule: found.rule };
  return { isListed: false, reason: about.length === 0 ? 'host_not_listed' : 'port_not_listed' };
}

/**
 * Those of the resolved addresses that may be connected to, in canonical form: public ones that are not this
 * machine's own, and any that a rule lists itself with this port.
 */
export function reachableAddresses(
  rules: Rules,
  port: number,
  resolved: readonly string[],
  isOwn: (address: string) => boolean,
): string[] {
  const addresses = resolved.map(canonicalAddress).filter((address) => address !== null);
  return [...new Set(addresses)].filter((address) => {
    const target: Target = { host: { kind: 'address', address }, port };
    return judgeTarget(rules, target).isListed || (addressClass(address) === 'public' && !isOwn(address));
  });
}

function compile(rule: NetworkRule): Matcher {
  const refuse = (why: string): never => {
    throw new RangeError(`the network rule for "${rule.host}" ${why}`);
  };
  if (rule.ports.length === 0) refuse('lists no port');
  if (!rule.ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65535))
    refuse(`has a port that is none: ${rule.ports.join(', ')}`);
  const isBelow = rule.host.startsWith('*.');
  const bare = isBelow ? rule.host.slice(2) : rule.host;
  const host = normaliseHost(bare) ?? normaliseHost(`[${bare}]`);
  if (host === null) return refuse('has no host');
  const text = hostText(host);
  if (!isBelow) return { kind: host.kind, text, rule };
  if (host.kind === 'address') refuse('has a wildcard before an address');
  if (!text.includes('.')) refuse('is too wide: a wildcard needs two labels after it');
  return { kind: 'below', text: `.${text}`, rule };
}
