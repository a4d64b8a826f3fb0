import { type AddressClass, addressClass, canonicalAddress } from './address.ts';
import { type Host, hostText, normaliseHost } from './host.ts';
import type { Target } from './target.ts';
import { fitsGlob } from './text-glob.ts';

/** Hosts, and the ports on them. */
export interface NetworkRule {
  /** A name, an address, or a name with stars: `*.example.com` is all below it, `*` alone every name. */
  readonly host: string;
  readonly ports: readonly number[] | 'any';
  /**
   * Classes of the addresses that are meant; with them a star means addresses too. Default: of a rule that lists,
   * `public` ones that are not this machine's own; of one that refuses, all.
   */
  readonly classes?: readonly AddressClass[];
  /** The rule of a policy that says so, `layer/file#rule`. */
  readonly by?: string;
}

/** What can be reached: what `rules` lists, and each list of `narrow` as well, and no rule of `refuse` speaks of. */
export interface NetworkRules {
  readonly rules: readonly NetworkRule[];
  readonly narrow?: readonly (readonly NetworkRule[])[];
  readonly refuse?: readonly NetworkRule[];
}

/** A rule in normal form, with the rule as it was given. */
interface Matcher {
  readonly kind: 'name' | 'glob' | 'address';
  readonly text: string;
  readonly rule: NetworkRule;
}

export interface Rules {
  /** The first is that of `rules`. */
  readonly lists: readonly (readonly Matcher[])[];
  readonly refusals: readonly Matcher[];
}

export type TargetVerdict =
  | { readonly isListed: true; readonly rule: NetworkRule }
  | {
      readonly isListed: false;
      readonly reason: 'host_not_listed' | 'port_not_listed' | 'host_refused';
      /** Only of `host_refused`. */
      readonly rule: NetworkRule | null;
    };

/** Nobody means these by a name: who controls it would choose what of this machine is asked. */
const NEVER_BY_NAME: ReadonlySet<AddressClass> = new Set(['metadata', 'link-local']);

/** Throws RangeError, with the rule, for one that could never match, or lists too much. */
export function compileRules({ rules, narrow = [], refuse = [] }: NetworkRules): Rules {
  return {
    lists: [rules, ...narrow].map((list) => list.map((rule) => compile(rule, 'listed'))),
    refusals: refuse.map((rule) => compile(rule, 'refused')),
  };
}

/** Whether a host with stars may be listed: behind the last one two labels, or all of it is one star. */
export function isNarrowEnough(host: string): boolean {
  const tail = host.slice(host.lastIndexOf('*') + 1);
  return host === '*' || !host.includes('*') || /^\.[^.]+\.[^.]/.test(tail);
}

/** Whether this host with this port is listed, as far as its text says. */
export function judgeTarget({ lists, refusals }: Rules, target: Target): TargetVerdict {
  let first: NetworkRule | null = null;
  for (const list of lists) {
    const about = list.filter((each) => isAbout(each, target.host));
    const found = about.find((each) => hasPort(each, target.port));
    if (found === undefined) {
      const reason = about.length === 0 ? 'host_not_listed' : 'port_not_listed';
      return { isListed: false, reason, rule: null };
    }
    first ??= found.rule;
  }
  // One that names classes waits for the addresses.
  const refusal = refusals.find(
    (each) =>
      each.rule.classes === undefined && hasPort(each, target.port) && isRefusedHost(each, target.host),
  );
  if (refusal !== undefined) return { isListed: false, reason: 'host_refused', rule: refusal.rule };
  return first === null
    ? { isListed: false, reason: 'host_not_listed', rule: null }
    : { isListed: true, rule: first };
}

/**
 * Those of the addresses of a listed target that may be connected to, in canonical form: of the classes that its rules
 * name, and any that a rule lists itself with this port. Metadata and link-local ones only when the target is the
 * address. An address of this machine's own counts as loopback.
 */
export function reachableAddresses(
  { lists, refusals }: Rules,
  target: Target,
  resolved: readonly string[],
  isOwn: (address: string) => boolean,
): string[] {
  const addresses = resolved.map(canonicalAddress).filter((address) => address !== null);
  return [...new Set(addresses)].filter((address) => {
    const own = addressClass(address);
    const found: Found = { address, classes: isOwn(address) ? [own, 'loopback'] : [own] };
    if (target.host.kind === 'name' && NEVER_BY_NAME.has(own)) return false;
    return (
      lists.every((list) => lets(list, target, found)) &&
      !refusals.some((each) => hasPort(each, target.port) && isRefused(each, target.host, found))
    );
  });
}

interface Found {
  readonly address: string;
  /** What it is; of this machine's own also loopback. */
  readonly classes: readonly AddressClass[];
}

function lets(list: readonly Matcher[], { host, port }: Target, { address, classes }: Found): boolean {
  const about = list.filter((each) => hasPort(each, port) && isAbout(each, host));
  // That it is of this machine counts before what it is else.
  const strictest = classes.at(-1) ?? 'reserved';
  return (
    about.some(({ kind, rule }) => {
      if (kind === 'address') return rule.classes === undefined || classes.some((each) => has(rule, each));
      return has(rule, strictest);
    }) ||
    // Listed twice: by its name, and by its address.
    (about.length > 0 &&
      list.some((each) => each.kind === 'address' && each.text === address && hasPort(each, port)))
  );
}

function has({ classes = ['public'] }: NetworkRule, wanted: AddressClass): boolean {
  return classes.includes(wanted);
}

function isRefused(each: Matcher, host: Host, { address, classes }: Found): boolean {
  const { rule } = each;
  return (
    (isRefusedHost(each, host) || isRefusedHost(each, { kind: 'address', address })) &&
    (rule.classes === undefined || classes.some((own) => has(rule, own)))
  );
}

/** A star of a rule that lists means names; with classes also addresses. */
function isAbout({ kind, text, rule }: Matcher, host: Host): boolean {
  if (kind !== 'glob') return kind === host.kind && text === hostText(host);
  return (host.kind === 'name' || rule.classes !== undefined) && fitsGlob(text, hostText(host));
}

/** A star of one that refuses means whatever fits. */
function isRefusedHost({ kind, text }: Matcher, host: Host): boolean {
  return kind === 'glob' ? fitsGlob(text, hostText(host)) : kind === host.kind && text === hostText(host);
}

function hasPort({ rule }: Matcher, port: number): boolean {
  return rule.ports === 'any' || rule.ports.includes(port);
}

/** Stands for the stars while the rest is brought into its one form. */
const STAR = 'q-star-q';

function compile(rule: NetworkRule, as: 'listed' | 'refused'): Matcher {
  const refuse = (why: string): never => {
    throw new RangeError(`the network rule for "${rule.host}" ${why}`);
  };
  const { ports } = rule;
  if (ports.length === 0) refuse('lists no port');
  if (ports !== 'any' && !ports.every((port) => Number.isInteger(port) && port >= 1 && port <= 65535))
    refuse(`has a port that is none: ${ports.join(', ')}`);
  if (rule.classes?.length === 0) refuse('lists no class');
  const plain = rule.host.replaceAll('*', STAR);
  const host = normaliseHost(plain) ?? normaliseHost(`[${plain}]`);
  if (host === null) return refuse('has no host');
  const text = hostText(host).replaceAll(STAR, '*');
  if (!rule.host.includes('*')) return { kind: host.kind, text, rule };
  if (as === 'listed' && !isNarrowEnough(text)) refuse('is too wide: a wildcard needs two labels after it');
  return { kind: 'glob', text, rule };
}
