/** `guardrails` of a step, as the loop takes them; the schema has checked the file. */
import type { AgentStep, Json, JsonObject } from '../../definition/workflow.ts';
import { isObject } from '../../skills/fields.ts';
import { type AgentLimits, DEFAULT_MAX_ITERATIONS } from '../budget.ts';

/** A conversation is one turn. */
export const CONVERSATION_LIMITS: AgentLimits = {
  maxIterations: 1,
  maxToolCalls: null,
  maxTokens: null,
  maxCostUsd: null,
  maxExecutionMs: null,
  maxOutputBytes: null,
};

export interface Guardrails {
  readonly limits: AgentLimits;
  /** Null = not said. */
  readonly allowedTools: readonly string[] | null;
  readonly deniedTools: readonly string[];
  readonly outputSchema: JsonObject | null;
}

export function readGuardrails({ guardrails }: Pick<AgentStep, 'guardrails'>): Guardrails {
  const number = (name: string): number | null => {
    const value = guardrails[name];
    return typeof value === 'number' ? value : null;
  };
  const seconds = number('max_execution_time');
  const schema = guardrails['output_schema'];
  return {
    limits: {
      maxIterations: number('max_iterations') ?? DEFAULT_MAX_ITERATIONS,
      maxToolCalls: number('max_tool_calls'),
      maxTokens: number('max_tokens'),
      maxCostUsd: number('max_cost_usd'),
      maxExecutionMs: seconds === null ? null : seconds * 1000,
      maxOutputBytes: null,
    },
    allowedTools: texts(guardrails['allowed_tools']),
    deniedTools: texts(guardrails['denied_tools']) ?? [],
    outputSchema: schema !== undefined && isObject(schema) ? schema : null,
  };
}

function texts(value: Json | undefined): string[] | null {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : null;
}
