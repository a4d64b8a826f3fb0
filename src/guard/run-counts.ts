import type { TokenCount } from '../engine/agent-events.ts';
import {
  exceeded,
  type Limits,
  NOTHING_SPENT,
  passedRates,
  type SpendEvent,
  type Spent,
  spend,
} from './budget.ts';
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
  /** Calls and requests that were allowed and have no outcome, as `openKey` names them: they are counted. */
  readonly open: ReadonlySet<string>;
}

/** Something that was allowed. */
export type Allowed =
  | { readonly kind: 'model'; readonly path: string; readonly iteration: number }
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

/** One call of a run, or one request, by its iteration. */
export function openKey(path: string, call: string | number): string {
  return `${path}\0${call}`;
}

/**
 * What is asked for again, since a crash or another kill switch took the answer or the hook of a call waited for a
 * person, counts once.
 */
export function countAllowed(counts: RunCounts, allowed: Allowed): RunCounts {
  const { spent, rules, open } = counts;
  const key = openKey(allowed.path, allowed.kind === 'model' ? allowed.iteration : allowed.call);
  if (open.has(key)) return counts;
  if (allowed.kind === 'model')
    return { ...counts, spent: spend(spent, { type: 'request' }), open: new Set([...open, key]) };
  const { tool, rated, at } = allowed;
  const count = (before: Spent, name: string): Spent => spend(before, { type: 'call', tool: name, atMs: at });
  return {
    spent: count(spent, tool),
    rules: rated.reduce(count, rules),
    open: new Set([...open, key]),
  };
}

/**
 * What a journal says was used before the records of the run begin. It does not say which rules a call was about, so it
 * counts for each rule with a rate: rather too much than anew.
 */
export function countJournal(counts: RunCounts, entries: readonly CountedEntry[]): RunCounts {
  const denied = new Set(
    entries.flatMap(({ event: { type, path, call, outcome } }) =>
      type === 'agent.tool_ended' && outcome === 'denied' ? [openKey(String(path), String(call))] : [],
    ),
  );
  return entries.reduce((before, { at, event }) => {
    const { type, path, call, tool, hook } = event;
    const now = countEvent(before, event);
    // Each further try has asked for leave of its own.
    if (type === 'agent.requested' || (type === 'agent.request_failed' && event.retryInMs !== null))
      return countAllowed(now, { kind: 'model', path: String(path), iteration: Number(event.iteration) });
    const isCall = type === 'agent.tool_called' && hook === undefined;
    if (!isCall || denied.has(openKey(String(path), String(call)))) return now;
    const allowed = { kind: 'tool', path: String(path), call: String(call), tool: String(tool), at } as const;
    return countAllowed(now, { ...allowed, rated: [EVERY_RULE] });
  }, counts);
}

/** An event of a journal, as far as it counts. */
export interface CountedEntry {
  readonly at: number;
  readonly event: Parameters<typeof countEvent>[1] & {
    readonly tool?: unknown;
    readonly outcome?: unknown;
    readonly retryInMs?: unknown;
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
    readonly iteration?: unknown;
    readonly hook?: unknown;
  },
): RunCounts {
  const { type, usage, bytes, path, call, iteration, hook } = event;
  const add = (event: SpendEvent): RunCounts => ({ ...counts, spent: spend(counts.spent, event) });
  switch (type) {
    // An intent is written once: another one is another call, whatever its name is.
    case 'agent.requested':
      return over(counts, path, iteration);
    case 'agent.tool_called':
      return over(counts, path, call);
    case 'agent.answered':
    case 'agent.request_failed': {
      const { in: input, out: output } = usage as TokenCount;
      return over(add({ type: 'usage', tokens: input + output, costUsd: 0 }), path, iteration);
    }
    case 'agent.tool_ended':
      return hook === undefined ? over(add({ type: 'output', bytes: Number(bytes) }), path, call) : counts;
    default:
      return counts;
  }
}

function over(counts: RunCounts, path: unknown, call: unknown): RunCounts {
  const key = openKey(String(path), String(call));
  if (!counts.open.has(key)) return counts;
  return { ...counts, open: new Set([...counts.open].filter((each) => each !== key)) };
}

/** Whether the next call of a rule is within its rate. Notes in `rated` every rule that it is asked about. */
export function rateCheck({ rules }: RunCounts, now: number, rated: Set<string>): RateCheck {
  return (rule, rate) => {
    rated.add(rule);
    const { calls } = spend(rules, { type: 'call', tool: rule, atMs: now });
    const seen = [calls[rule] ?? [], calls[EVERY_RULE] ?? []].flat();
    return passedRates(rule, rate, seen, now).length > 0 ? 'beyond' : 'within';
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

/** No name of a rule: those have a layer. */
const EVERY_RULE = '*';
