/** Which tools an agent has: those of its file, narrowed by the guardrails of its step. */
import { canonicalTool } from '../../guard/tools.ts';

export interface ToolChoice {
  /** Of the agent file. */
  readonly tools: readonly string[];
  /** `allowed_tools` of the step; null = not said. */
  readonly allowed: readonly string[] | null;
  /** `denied_tools` of the step. */
  readonly denied: readonly string[];
}

/** What other products have as one tool. */
const FAMILIES: Readonly<Record<string, readonly string[]>> = {
  // fs_read of Q reads, lists and searches.
  fs_read: ['fs_read', 'fs_list', 'search'],
  web: ['http_fetch'],
};

/** What a name stands for besides, in other products. */
export function familyOf(name: string): readonly string[] {
  const canonical = canonicalTool(name);
  return Object.hasOwn(FAMILIES, canonical) ? (FAMILIES[canonical] ?? []) : [];
}

/** True when the agent may have the tool, by canonical name. */
export function mayHave({ tools, allowed, denied }: ToolChoice, tool: string): boolean {
  const isNamed = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => isNamedBy(pattern, tool));
  return isNamed(tools) && (allowed === null || isNamed(allowed)) && !isNamed(denied);
}

/** True when it may have any tool of this MCP server: then the server is worth a start. */
export function mayHaveServer({ tools, allowed, denied }: ToolChoice, server: string): boolean {
  const reaches = (patterns: readonly string[]): boolean =>
    patterns.some((pattern) => isNamedBy(pattern, `@${server}/`) || namesToolOf(pattern, server));
  return (
    reaches(tools) &&
    (allowed === null || reaches(allowed)) &&
    !denied.some((each) => isNamedBy(each, `@${server}/`))
  );
}

/** Names of MCP servers that the patterns speak of. */
export function serversNamed(patterns: readonly string[]): string[] {
  const names = patterns.flatMap((pattern) => /^@([\w.-]+)(?:\/|$)/.exec(pattern)?.[1] ?? []);
  return names.filter((name) => name !== 'builtin' && name !== 'mcp');
}

/** Whether a pattern of an agent file names a tool, by canonical name. */
export function isNamedBy(pattern: string, tool: string): boolean {
  const isMcp = tool.startsWith('@');
  if (pattern === '*') return true;
  if (pattern === '@builtin') return !isMcp;
  if (pattern === '@mcp') return isMcp;
  if (pattern.startsWith('@') && !pattern.includes('/')) return isMcp && glob(`${pattern}/*`).test(tool);
  const name = canonicalTool(pattern);
  return name === tool || familyOf(name).includes(tool) || glob(pattern).test(tool);
}

function namesToolOf(pattern: string, server: string): boolean {
  const [start, rest] = pattern.split('/');
  return rest !== undefined && start !== undefined && glob(start).test(`@${server}`);
}

function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's');
}
