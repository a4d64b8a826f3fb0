import type { TokenCount } from '../engine/agent-events.ts';
import { exceeded, type Limits, NOTHING_SPENT, type SpendEvent, type Spent, spend } from './budget.ts';
import type { RateCheck } from './policy/rules/match-rule.ts';

/**
 * What a run has used, as the limits and rates of policies count it: over all its steps, attempts and processes. A
 * plain value, rebuilt from the audit records of the run. Cost and time of work are counted for each
 * agent step by its own loop.
 */
export interface RunCounts {
  readonly spent: Spent;
  /** Calls by the rules with a rate that speak of them. */
  readonly rules: Spent;
  /** Calls that were allowed and have no outcome, as `openKey` names them: they are counted. */
  readonly open: ReadonlySet<string>;
}

/** Something that was allowed. */
export type Allowed =
  | { readonly kind: 'model' }
  | {
      readonly kind: 'tool';
      readonly path: string;
      readonly call: string;
      readonly tool: string;
      /** Names of the rules with a rate that speak of it. */
      readonly rated: readonly string[];
      /** UTC ms. */
      readonly at: number;
    };

export const NOTHING_COUNTED: RunCounts = { spent: NOTHING_SPENT, rules: NOTHING_SPENT, open: new Set() };

/** One call of a run. */
export function openKey(path: string, call: string): string {
  return `${path}\0${call}`;
}

/** A call that is asked for again, after a crash or since its hook waited for a person, counts once. */
export function countAllowed(counts: RunCounts, allowed: Allowed): RunCounts {
  const { spent, rules, open } = counts;
  if (allowed.kind === 'model') return { ...counts, spent: spend(spent, { type: 'request' }) };
  const { path, call, tool, rated, at } = allowed;
  const key = openKey(path, call);
  if (open.has(key)) return counts;
  const count = (before: Spent, name: string): Spent => spend(before, { type: 'call', tool: name, atMs: at });
  return {
    spent: count(spent, tool),
    rules: rated.reduce(count, rules),
    open: new Set([...open, key]),
  };
}

/** What an event of the journal, or its audit record, says was used; other events change nothing. */
export function countEvent(
  counts: RunCounts,
  event: {
    readonly type: string;
    readonly usage?: unknown;
    readonly bytes?: unknown;
    readonly path?: unknown;
    readonly call?: unknown;
    readonly hook?: unknown;
  },
): RunCounts {
  const { type, usage, bytes, path, call, hook } = event;
  const add = (event: SpendEvent): RunCounts => ({ ...counts, spent: spend(counts.spent, event) });
  switch (type) {
    case 'agent.answered':
    case 'agent.request_failed': {
      const { in: input, out: output } = usage as TokenCount;
      return add({ type: 'usage', tokens: input + output, costUsd: 0 });
    }
    case 'agent.tool_ended': {
      if (hook !== undefined) return counts;
      const open = new Set(counts.open);
      open.delete(openKey(String(path), String(call)));
      return { ...add({ type: 'output', bytes: Number(bytes) }), open };
    }
    default:
      return counts;
  }
}

/** Whether the next call of a rule is within its rate. Notes in `rated` every rule that it is asked about. */
export function rateCheck({ rules }: RunCounts, now: number, rated: Set<string>): RateCheck {
  return (rule, rate) => {
    rated.add(rule);
    const next = spend(rules, { type: 'call', tool: rule, atMs: now });
    return exceeded(next, { ...NO_LIMITS, calls: { [rule]: rate } }, now).length === 0 ? 'within' : 'beyond';
  };
}

/** Why the next request or tool call is one too many for the run; null when it is not. */
export function passedLimit(
  { spent }: RunCounts,
  limits: Limits,
  next: { readonly kind: 'model' } | { readonly kind: 'tool'; readonly tool: string },
  now: number,
): string | null {
  const after = spend(
    spent,
    next.kind === 'model' ? { type: 'request' } : { type: 'call', tool: next.tool, atMs: now },
  );
  const [breach] = exceeded(after, { ...limits, cost_usd: null, wall_s: null }, now);
  return breach === undefined
    ? null
    : `the limit ${breach.limit} of the run is ${breach.allowed}, and this would make ${breach.used}`;
}

const NO_LIMITS: Limits = {
  iterations: null,
  tool_calls: null,
  tokens: null,
  cost_usd: null,
  wall_s: null,
  output_bytes: null,
  calls: {},
};
