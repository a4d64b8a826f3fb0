/** What an agent may use, and what is left of it. */
import type { TokenCount } from '../engine/agent-events.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { ReportedUsage } from './model/model.ts';

export interface AgentLimits {
  /** Model requests of the step. */
  readonly maxIterations: number;
  readonly maxToolCalls: number | null;
  /** Tokens in and out together. */
  readonly maxTokens: number | null;
  readonly maxCostUsd: number | null;
  readonly maxExecutionMs: number | null;
  /** Bytes that tools have brought, before they were capped. */
  readonly maxOutputBytes: number | null;
}

export interface Price {
  /** US dollars for a million tokens. */
  readonly inputPerMillion: number;
  readonly outputPerMillion: number;
  /** Of input that was read from a cache; default: as input. */
  readonly cachedPerMillion?: number;
}

export const DEFAULT_MAX_ITERATIONS = 10;
/** Tokens are no fewer bytes than this in languages and code that we know of; so an estimate is rather too high. */
const BYTES_PER_TOKEN = 3;

export function estimateTokens(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / BYTES_PER_TOKEN));
}

/** What the provider counted; where it says nothing, an estimate that says so, never nothing. */
export function countUsage(reported: ReportedUsage, sentBytes: number, answerLength: number): TokenCount {
  // Some providers say 0 where they mean that they did not count.
  const input = given(reported.in);
  const output = answerLength === 0 && reported.out === 0 ? 0 : given(reported.out);
  return {
    in: input ?? estimateTokens(sentBytes),
    out: output ?? estimateTokens(answerLength),
    cached: given(reported.cached) ?? 0,
    estimated: input === null || output === null,
  };
}

function given(count: number | undefined): number | null {
  return count !== undefined && count > 0 && count <= Number.MAX_SAFE_INTEGER ? count : null;
}

export function costUsd(usage: TokenCount, price: Price): number {
  const cached = Math.min(usage.cached, usage.in);
  const input = (usage.in - cached) * price.inputPerMillion;
  const fromCache = cached * (price.cachedPerMillion ?? price.inputPerMillion);
  return (input + fromCache + usage.out * price.outputPerMillion) / 1_000_000;
}

/**
 * The most tokens that the next answer may have, null for no limit of ours. Throws AGENT_LIMIT when the request itself
 * would pass what is left: it is asked before anything is sent.
 */
export function outputRoom(
  limits: AgentLimits,
  used: TokenCount,
  estimateIn: number,
  model: { readonly maxOutputTokens: number | null; readonly price: Price | null },
): number | null {
  const rooms: number[] = model.maxOutputTokens === null ? [] : [model.maxOutputTokens];
  if (limits.maxTokens !== null) {
    const spent = used.in + used.out;
    const left = limits.maxTokens - spent - estimateIn;
    if (left < 1)
      throw limitError('tokens', limits.maxTokens, spent, `the next request has about ${estimateIn} more`);
    rooms.push(left);
  }
  if (limits.maxCostUsd !== null && model.price === null)
    throw limitError('cost_usd', limits.maxCostUsd, 0, 'and the price of the model is not known');
  if (limits.maxCostUsd !== null && model.price !== null) {
    const spent = costUsd(used, model.price);
    const next = costUsd({ in: estimateIn, out: 0, cached: 0, estimated: true }, model.price);
    const left = limits.maxCostUsd - spent - next;
    const perToken = model.price.outputPerMillion / 1_000_000;
    if (left < perToken || left <= 0)
      throw limitError(
        'cost_usd',
        limits.maxCostUsd,
        round(spent),
        `the next request costs about ${round(next)} more`,
      );
    if (perToken > 0) rooms.push(Math.floor(left / perToken));
  }
  return rooms.length === 0 ? null : Math.min(...rooms);
}

/** The error of a limit of `guardrails` that was met. */
export function limitError(
  limit: 'iterations' | 'tool_calls' | 'tokens' | 'cost_usd' | 'execution_time' | 'output_bytes',
  allowed: number,
  used: number,
  why: string,
): WorkflowError {
  return new WorkflowError('AGENT_LIMIT', `max_${limit} ${allowed}: ${used} used, ${why}`, {
    details: { limit: `max_${limit}`, allowed, used },
  });
}

function round(usd: number): number {
  return Math.round(usd * 1_000_000) / 1_000_000;
}
