/** The tools that one agent has: what the model is told of them, and who runs them. */
import type { NetworkGrant } from '../../../sandbox/network/grants.ts';
import { sha256 } from '../../audit/canonical.ts';
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

export function createToolBox(given: readonly Tool[], refusal: ToolBox['refusal']): ToolBox {
  const tools = withOwnNames(given);
  // What the model was told comes first: an alias may be the name of another tool.
  const told = new Map(tools.map((tool) => [tool.spec.name, tool]));
  const canonical = new Map(tools.map((tool) => [tool.tool, tool]));
  return {
    specs: tools.map(({ spec }) => spec),
    find: (name) => told.get(name) ?? canonical.get(name) ?? canonical.get(canonicalTool(name)) ?? null,
    refusal,
  };
}

/** Names that every provider takes. */
export const TOLD_NAME = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Each tool once, and none with the name of another: providers refuse such a list, and nobody knows which one is meant.
 * The name depends on no order, so that a call that waited finds its tool again.
 */
function withOwnNames(given: readonly Tool[]): readonly Tool[] {
  const tools = [...new Map(given.map((tool) => [tool.tool, tool])).values()];
  const byName = Map.groupBy(tools, ({ spec }) => spec.name);
  const isAlone = ({ spec }: Tool): boolean => byName.get(spec.name)?.length === 1;
  const taken = new Set(tools.filter(isAlone).map(({ spec }) => spec.name));
  return tools.map((tool) => {
    if (isAlone(tool)) return tool;
    const isFree = TOLD_NAME.test(tool.tool) && !taken.has(tool.tool);
    const name = isFree ? tool.tool : `${tool.spec.name.slice(0, 55)}_${sha256(tool.tool).slice(0, 8)}`;
    taken.add(name);
    return { ...tool, spec: { ...tool.spec, name } };
  });
}

/** True for a tool that exists, though perhaps not for this agent: calling it is no mistake but not allowed. */
export function isKnownTool(name: string): boolean {
  return Object.hasOwn(CANONICAL_TOOLS, canonicalTool(name)) || name.startsWith('@');
}
