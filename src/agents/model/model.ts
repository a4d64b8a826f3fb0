/** A language model as the loop sees it, whatever provider is behind it. */
import type { JsonObject } from '../../definition/workflow.ts';

export interface ModelRequest {
  readonly system: string;
  readonly messages: readonly ModelMessage[];
  readonly tools: readonly ToolSpec[];
  /** Null: the provider's own limit. */
  readonly maxOutputTokens: number | null;
}

export type ModelMessage =
  | { readonly role: 'user'; readonly text: string }
  | { readonly role: 'assistant'; readonly text: string; readonly calls: readonly SentCall[] }
  | { readonly role: 'tool'; readonly results: readonly SentResult[] };

export interface SentCall {
  readonly id: string;
  readonly name: string;
  readonly args: JsonObject;
  readonly meta?: JsonObject;
}

export interface SentResult {
  readonly id: string;
  readonly name: string;
  readonly text: string;
  readonly isError: boolean;
}

export interface ToolSpec {
  /** Letters, digits, `_` and `-`, at most 64: what every provider takes. */
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonObject;
}

/** A piece of an answer. A whole answer has a `finish` that is whole; anything else was cut off. */
export type ModelPart =
  | { readonly type: 'text'; readonly delta: string }
  /** Reasoning: kept nowhere, but written, and paid for. */
  | { readonly type: 'thought'; readonly length: number }
  /** A call begins to arrive; what never comes whole is malformed. */
  | { readonly type: 'call-begun'; readonly id: string; readonly name: string }
  | { readonly type: 'call-delta'; readonly id: string; readonly delta: string }
  | {
      readonly type: 'call';
      readonly id: string;
      readonly name: string;
      readonly input: string;
      readonly meta?: JsonObject;
    }
  | {
      readonly type: 'finish';
      readonly reason: string;
      readonly isWhole: boolean;
      readonly usage: ReportedUsage;
    }
  | { readonly type: 'error'; readonly fault: ModelFault };

/** What the provider says; undefined where it says nothing. */
export interface ReportedUsage {
  readonly in: number | undefined;
  readonly out: number | undefined;
  readonly cached: number | undefined;
}

export interface Model {
  /** Sends one request. Throws ModelFault, or whatever the abort of `signal` gives; so does the iteration. */
  stream(request: ModelRequest, signal: AbortSignal): AsyncIterable<ModelPart>;
}

interface FaultFacts {
  /** HTTP status; null when there was no answer. */
  readonly status?: number | null;
  readonly isRetryable: boolean;
  /** What the provider asks to wait. */
  readonly retryAfterMs?: number | null;
  /** Part of the answer came: it was worked for, and is paid for. */
  readonly hasBegun?: boolean;
  readonly cause?: unknown;
}

/** A request that failed. Whether another try may help is said by whoever saw it fail, never read from its text. */
export class ModelFault extends Error {
  readonly status: number | null;
  readonly isRetryable: boolean;
  readonly retryAfterMs: number | null;
  readonly hasBegun: boolean;

  constructor(message: string, facts: FaultFacts) {
    super(message, { cause: facts.cause });
    this.name = 'ModelFault';
    this.status = facts.status ?? null;
    this.isRetryable = facts.isRetryable;
    this.retryAfterMs = facts.retryAfterMs ?? null;
    this.hasBegun = facts.hasBegun ?? false;
  }
}
