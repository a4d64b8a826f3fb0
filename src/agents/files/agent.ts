/** An agent after its file was read, whichever product it was written for. Plain JSON: it is pinned with the run. */
import type { JsonObject } from '../../definition/workflow.ts';
import type { SkillNote } from '../../skills/skill.ts';
import type { DriverChoice } from '../driver-choice.ts';
import type { AgentHooks } from '../hooks/hook.ts';

export interface Agent {
  readonly name: string;
  readonly description: string;
  readonly file: string;
  /** SHA-256 of the file's bytes, hex. */
  readonly hash: string;
  /** The text itself, also where the file names another file. */
  readonly prompt: string;
  /** Name of a configured model; null = the default one. */
  readonly model: string | null;
  /** Patterns of the tools that it has: names, `*`, `@builtin`, `@server`, `@server/tool`. */
  readonly tools: readonly string[];
  /** Tool → the name that the model is told. */
  readonly toolAliases: Readonly<Record<string, string>>;
  /** Where Q would not ask; it gives no right here. */
  readonly allowedTools: readonly string[];
  readonly toolsSettings: Readonly<Record<string, JsonObject>>;
  readonly mcpServers: Readonly<Record<string, McpServer>>;
  /** Commands that run beside it; not there where the file has none, or another driver runs none. */
  readonly hooks?: AgentHooks;
  /** Who does its work; not there for our own driver. */
  readonly driver?: DriverChoice;
  /** JSON Schema of the final answer. */
  readonly outputSchema: JsonObject | null;
  /** Why it cannot be used; empty for a sound file. */
  readonly problems: readonly SkillNote[];
}

export type McpServer = McpCommand | McpUrl;

export interface McpCommand {
  readonly kind: 'command';
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Tools of it that nobody gets. */
  readonly disabledTools: readonly string[];
}

export interface McpUrl {
  readonly kind: 'url';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly disabledTools: readonly string[];
}
