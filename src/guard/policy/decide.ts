import type { GuardedCall } from './calls/call.ts';
import { type CallFacts, readCall } from './calls/read-call.ts';
import type { Part, Subject } from './calls/subject.ts';
import type { ApprovalFile, Decision } from './files/policy-file.ts';
import {
  type ActiveLayer,
  activeLayers,
  inEnvironment,
  type PolicySet,
  shadowPolicies,
  strictest,
} from './files/policy-set.ts';
import type { Rule } from './rules/compile-rule.ts';
import { touchedGuards } from './rules/guard-rules.ts';
import { hiddenTouch, looksAtPlaces, matchesRule, type RateCheck } from './rules/match-rule.ts';
import { type NamedPlace, namedPlaces } from './rules/named-places.ts';

/** One thing that was said about a part of a call. */
export interface ChainLink {
  /** The program, redirect or tool that is spoken of. */
  readonly part: string;
  readonly layer: string;
  /** `layer/file#rule`; null where a default or a doubt speaks. */
  readonly rule: string | null;
  readonly effect: Decision;
  readonly reason: string;
}

export interface Verdict {
  readonly decision: Decision;
  /** The rules that decided, the highest layer first. */
  readonly rules: readonly string[];
  readonly layer: string | null;
  readonly reason: string;
  readonly policyHash: string;
  /** All that was said, part by part. */
  readonly chain: readonly ChainLink[];
  /** What files in shadow mode would have said. */
  readonly shadow: readonly ChainLink[];
  /** Of the rules that ask: who may approve. Each has to. */
  readonly approvals: readonly ApprovalFile[];
  /** Every rule that matched, for counting rates. */
  readonly matched: readonly string[];
  /** The hosts that the call names. */
  readonly places: readonly NamedPlace[];
}

export interface DecisionFacts extends CallFacts {
  readonly rates?: RateCheck;
}

/** What rates say before anything was counted: also that nothing at all is within a rate of 0. */
const firstCall: RateCheck = (_, rate) => (Object.values(rate).includes(0) ? 'beyond' : 'within');

/**
 * Decides about a call: the strictest effect over all its parts and all layers. A layer below the top only narrows;
 * what no rule of the top layer speaks of is decided by its default (deny when it has none). Pure but for the file
 * system behind `facts`; never throws for what an agent may send.
 */
export function decide(set: PolicySet, asked: GuardedCall, facts: DecisionFacts): Verdict {
  const call = inEnvironment(set, asked);
  const { environment } = call;
  const subject = readCall(call, facts);
  const layers = activeLayers(set, environment);
  const rates = facts.rates ?? firstCall;
  const guarded = subject.parts.flatMap((part) => guardLinks(set.guard, subject, part));
  const judged = subject.parts.map((part) =>
    layers.flatMap((layer, index) => layerLinks(layer, index, subject, part, rates)),
  );
  const areDoubtsIdle =
    !isAct(call) &&
    ![set.guard, ...layers.map(({ rules }) => rules)].flat().some((rule) => looksAtPlaces(rule, subject));
  const doubted = areDoubtsIdle ? [] : doubtLinks(subject, layers, [...guarded, ...judged.flat()]);
  const chain = [...guarded, ...doubted, ...judged.flat()];
  const shadow = shadowPolicies(set, environment).flatMap((policy) =>
    subject.parts.flatMap((part) => ruleLinks(policy.rules, policy.layer, subject, part, rates)),
  );
  return {
    ...conclude(chain, call),
    policyHash: set.hash,
    chain,
    shadow,
    ...approvalsOf(layers, chain),
    places: namedPlaces(subject.parts),
  };
}

function guardLinks(guard: readonly Rule[], subject: Subject, part: Part): ChainLink[] {
  return touchedGuards(guard, subject, part).map((rule) => linkOf(rule, 'built-in', part));
}

function linkOf(rule: Rule, layer: string, part: Part): ChainLink {
  return {
    part: part.text,
    layer,
    rule: rule.name,
    effect: rule.effect,
    reason: rule.reason ?? `the rule ${rule.name} says ${rule.effect}`,
  };
}

function ruleLinks(
  rules: readonly Rule[],
  layer: string,
  subject: Subject,
  part: Part,
  rates: RateCheck,
): ChainLink[] {
  return rules
    .filter((rule) => matchesRule(rule, subject, part, rates))
    .map((rule) => {
      const link = linkOf(rule, layer, part);
      const how = hiddenTouch(rule, subject, part);
      return how === null ? link : { ...link, reason: `${link.reason}: ${how}` };
    });
}

function layerLinks(
  layer: ActiveLayer,
  index: number,
  subject: Subject,
  part: Part,
  rates: RateCheck,
): ChainLink[] {
  const broken = layer.faults.map(
    (policy): ChainLink => ({
      part: part.text,
      layer: layer.layer,
      rule: `${layer.layer}/${policy.id}`,
      effect: 'deny',
      reason: `the policy ${policy.file ?? policy.id} cannot be used, so its layer denies everything: ${policy.fault}`,
    }),
  );
  const said = ruleLinks(layer.rules, layer.layer, subject, part, rates);
  if (said.length > 0 || broken.length > 0) return [...broken, ...said];
  // Permission to start a model, step or schedule is not what a default is about: those have limits and switches.
  if (!isAct(subject.call) || part.isTransparent) return [];
  const fallback = layer.default ?? (index === 0 ? 'deny' : null);
  if (fallback === null) return [];
  const reason = `no rule of the layer ${layer.layer} speaks of it; its default is ${fallback}`;
  return [{ part: part.text, layer: layer.layer, rule: null, effect: fallback, reason }];
}

/**
 * What follows from doubts: nothing is allowed that nobody can read, whatever rules say. (What a step is started with is
 * data: where no rule asks for the places in it, there is nothing to doubt. Its sandbox says what it reaches.)
 */
function doubtLinks(
  subject: Subject,
  layers: readonly ActiveLayer[],
  links: readonly ChainLink[],
): ChainLink[] {
  return subject.doubts.map(({ kind, text }): ChainLink => {
    const effect = kind === 'forbidden' ? 'deny' : kind === 'careful' ? 'ask' : unreadEffect(layers, links);
    return { part: subject.call.tool, layer: 'built-in', rule: null, effect, reason: text };
  });
}

/** Ask where a rule of the top layer asks; else its default, and never better than ask. */
function unreadEffect([top]: readonly ActiveLayer[], links: readonly ChainLink[]): Decision {
  const isAsked = links.some(
    ({ layer, rule, effect }) => layer === top?.layer && rule !== null && effect === 'ask',
  );
  return isAsked || top?.default === 'allow' || top?.default === 'ask' ? 'ask' : 'deny';
}

function conclude(
  chain: readonly ChainLink[],
  call: GuardedCall,
): Pick<Verdict, 'decision' | 'rules' | 'layer' | 'reason'> {
  const decision = strictest(chain.map(({ effect }) => effect));
  if (decision === null) {
    const isTool = isAct(call);
    return {
      decision: isTool ? 'deny' : 'allow',
      rules: [],
      layer: null,
      reason: isTool ? 'no policy holds here' : 'no rule speaks of it',
    };
  }
  const deciding = chain.filter(({ effect }) => effect === decision);
  const [first] = deciding;
  return {
    decision,
    rules: [...new Set(deciding.flatMap(({ rule }) => (rule === null ? [] : [rule])))],
    layer: first?.layer ?? null,
    reason: reasonOf(deciding, decision),
  };
}

/** What runs something: without a word about it, it does not. */
function isAct({ kind }: GuardedCall): boolean {
  return kind === 'tool' || kind === 'hook';
}

const MAX_SHOWN = 120;

function reasonOf(deciding: readonly ChainLink[], decision: Decision): string {
  const first = deciding.find(({ rule }) => rule !== null) ?? deciding[0];
  if (first === undefined) return '';
  // Of a command it matters which of its programs it was.
  const isOfCommand = decision !== 'allow' && first.part.includes(' ');
  return isOfCommand ? `${first.reason} (${first.part.slice(0, MAX_SHOWN)})` : first.reason;
}

function approvalsOf(
  layers: readonly ActiveLayer[],
  chain: readonly ChainLink[],
): Pick<Verdict, 'approvals' | 'matched'> {
  const matched = [...new Set(chain.flatMap(({ rule }) => (rule === null ? [] : [rule])))];
  const asking = layers
    .flatMap(({ rules }) => rules)
    .filter(({ name, effect }) => effect === 'ask' && matched.includes(name));
  return { matched, approvals: asking.flatMap(({ approval }) => (approval === null ? [] : [approval])) };
}
