/**
 * What a call that a person approved may reach: the hosts that its text names, as long as it runs. An approval answers
 * the rules that asked; it lifts no denial, and opens no class of addresses that the policies do not name.
 */
import type { AddressClass } from '../../sandbox/network/address.ts';
import { normaliseHost } from '../../sandbox/network/host.ts';
import {
  compileRules,
  judgeTarget,
  type NetworkRule,
  type NetworkRules,
  reachableAddresses,
} from '../../sandbox/network/rules.ts';
import type { ApprovalRequest } from '../store/tables/approval-rows.ts';
import { hostRules, isOpen, openedBy } from './network.ts';
import type { GuardedCall } from './policy/calls/call.ts';
import { mayConcernTraffic } from './policy/calls/traffic.ts';
import type { Verdict } from './policy/decide.ts';
import { type ActiveLayer, activeLayers, inEnvironment, type PolicySet } from './policy/files/policy-set.ts';
import type { Rule } from './policy/rules/compile-rule.ts';
import { isHost } from './policy/rules/match-host.ts';
import type { NamedPlace } from './policy/rules/named-places.ts';

export type ApprovedPlaces = NonNullable<ApprovalRequest['network']>;

export interface GrantFacts {
  readonly policies: PolicySet;
  readonly verdict: Pick<Verdict, 'matched' | 'places'>;
  readonly tool: string;
  /** What conditions of rules are asked about: the traffic of the step. */
  readonly traffic: GuardedCall;
  /** The rules that the person is asked for, or has answered. */
  readonly asking: readonly string[];
}

/** The hosts of a call that its approval would open by the policies of now: what the person is told. */
export function approvablePlaces(facts: GrantFacts): ApprovedPlaces {
  return facts.verdict.places
    .filter((place) => wayTo(place, facts, '') !== null)
    .map(({ host, port }) => ({ host, port }));
}

/** The ways that an approval opens to its call: to what the person was told, and the policies of now leave open. */
export function approvedWays(facts: GrantFacts, told: ApprovedPlaces, by: string): readonly NetworkRules[] {
  return facts.verdict.places
    .filter((place) => told.some(({ host, port }) => host === place.host && port === place.port))
    .flatMap((place) => wayTo(place, facts, by) ?? []);
}

/** `host:port`, for people. */
export function placeText({ host, port }: ApprovedPlaces[number]): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function wayTo(place: NamedPlace, facts: GrantFacts, by: string): NetworkRules | null {
  const { policies, verdict } = facts;
  const traffic = inEnvironment(policies, facts.traffic);
  const layers = activeLayers(policies, traffic.environment);
  const [top, ...below] = layers;
  if (top === undefined || layers.some(({ faults }) => faults.length > 0)) return null;
  const tool = facts.tool.startsWith('@') ? (facts.tool.split('/')[0] ?? facts.tool) : facts.tool;
  const narrow = below
    .filter((layer) => !isOpen(layer, tool, traffic) && !speaksOf(layer, place, verdict.matched))
    .map((layer) => openedBy(layer, tool, traffic));
  const rule: NetworkRule = {
    host: place.host,
    ports: [place.port],
    classes: classesFor(place, top, verdict.matched),
    by,
  };
  const refuse = layers
    .flatMap(({ rules }) => rules)
    .filter((each) => each.effect === 'deny' || (each.effect === 'ask' && !facts.asking.includes(each.name)))
    .filter((each) => mayConcernTraffic(each, tool, traffic))
    .flatMap(hostRules);
  const way: NetworkRules = { rules: [rule], narrow, refuse: [...refuse, ...ownAddress(place, rule)] };
  return isUsable(way, place) ? way : null;
}

/** A layer below the top that says something of this very place, or asks: the person answers that. */
function speaksOf(layer: ActiveLayer, place: NamedPlace, matched: readonly string[]): boolean {
  return (
    layer.default === 'ask' ||
    layer.rules.some(
      (rule) =>
        rule.effect !== 'deny' &&
        matched.includes(rule.name) &&
        (rule.host === null ? rule.effect === 'ask' : isHost(rule.host, place)),
    )
  );
}

/** Public addresses, or those that a rule of the top layer about this call names: their classes, or the address itself. */
function classesFor(place: NamedPlace, top: ActiveLayer, matched: readonly string[]): AddressClass[] {
  const about = top.rules.filter(
    ({ name, effect, host }) =>
      effect !== 'deny' && matched.includes(name) && host !== null && isHost(host, place),
  );
  // The schema knows the classes.
  const named = about.flatMap(({ host }) => (host?.classes ?? []) as readonly AddressClass[]);
  const own = place.isAddress && about.some((rule) => namesAddress(rule, place)) ? [place.addressClass] : [];
  const classes = [...new Set([...named, ...own])];
  return classes.length === 0 ? ['public'] : classes;
}

function namesAddress({ host }: Rule, place: NamedPlace): boolean {
  return (
    host !== null && host.classes.length === 0 && host.names.some(({ host: name }) => name === place.host)
  );
}

/** A public address may be this machine's own: that is loopback, and only a rule that says so opens it. */
function ownAddress(place: NamedPlace, { classes = [] }: NetworkRule): NetworkRule[] {
  if (!place.isAddress || classes.includes('loopback')) return [];
  return [{ host: place.host, ports: [place.port], classes: ['loopback'] }];
}

/** Whether it leads anywhere, as far as the text says: who approves it is not told of what stays closed. */
function isUsable(way: NetworkRules, place: NamedPlace): boolean {
  const host = normaliseHost(place.host) ?? normaliseHost(`[${place.host}]`);
  const classes = way.rules[0]?.classes ?? [];
  // Of other names nobody knows the class before they are looked up.
  const isUnknown = !place.isAddress && place.addressClass === 'public';
  if (host === null || !(isUnknown || classes.includes(place.addressClass))) return false;
  const target = { host, port: place.port };
  const rules = compileRules(way);
  if (!judgeTarget(rules, target).isListed) return false;
  return host.kind === 'name' || reachableAddresses(rules, target, [host.address], () => false).length > 0;
}
