/** What guardrails and policies together say of one step's agent, besides what it may call. Plain JSON. */
import type { JsonObject } from '../../definition/workflow.ts';
import type { SecretKind } from '../../guard/secret-kinds.ts';
import type { StuckLimits } from '../../guard/stuck.ts';
import type { AgentLimits } from '../budget.ts';

export interface AgentPolicies {
  /** Of each limit the least. */
  readonly limits: AgentLimits;
  readonly stuck: StuckLimits;
  /** Kinds of secrets that are hidden in what tools bring and models say. */
  readonly redact: readonly SecretKind[];
  /** Tools of which every call is allowed, whatever its arguments are; only told for a headless agent. */
  readonly trusted: readonly string[];
  /** The final answer must fit each of them, beside the schema of the step or the agent. */
  readonly outputSchemas: readonly JsonObject[];
}
