/** The tools that one agent has: what the model is told of them, and who runs them. */
import type { NetworkGrant } from '../../../sandbox/network/grants.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import { CANONICAL_TOOLS, canonicalTool } from '../../guard/tools.ts';
import type { ToolSpec } from '../model/model.ts';

/** One call as it was journaled and decided. */
export interface ToolCall {
  readonly call: string;
  readonly args: JsonObject;
  /** What a person approved that it may reach, while it runs. */
  readonly grant?: NetworkGrant;
}

export interface ToolResult {
  readonly isError: boolean;
  /** Not yet cleaned, masked and capped. */
  readonly text: string;
  /** Of the whole result, where the text is not all of it. */
  readonly bytes?: number;
}

export interface Tool {
  /** Canonical name: that of the journal, of policies and of the audit. */
  readonly tool: string;
  readonly spec: ToolSpec;
  /** What is wrong with the arguments, for the model; null when nothing is. */
  check(args: JsonObject): string | null;
  /** Runs the call. Resolves when nothing of it is left, also when the signal aborts. Throws a WorkflowError. */
  run(call: ToolCall, signal: AbortSignal): Promise<ToolResult>;
}

export interface ToolBox {
  readonly specs: readonly ToolSpec[];
  /** By the name that the model was told, the canonical name or one of its aliases. */
  find(name: string): Tool | null;
  /** Why agent file and guardrails refuse this call; null when they do not. */
  refusal(tool: Tool, args: JsonObject): string | null;
}

export function createToolBox(tools: readonly Tool[], refusal: ToolBox['refusal']): ToolBox {
  const byName = new Map<string, Tool>();
  for (const tool of tools) {
    byName.set(tool.tool, tool);
    byName.set(tool.spec.name, tool);
  }
  return {
    specs: tools.map(({ spec }) => spec),
    find: (name) => byName.get(name) ?? byName.get(canonicalTool(name)) ?? null,
    refusal,
  };
}

/** True for a tool that exists, though perhaps not for this agent: calling it is no mistake but not allowed. */
export function isKnownTool(name: string): boolean {
  return Object.hasOwn(CANONICAL_TOOLS, canonicalTool(name)) || name.startsWith('@');
}
