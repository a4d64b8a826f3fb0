import type { Json, JsonObject } from '../../definition/workflow.ts';
import { isObject } from '../../skills/fields.ts';
import type { Tool } from '../native/tool-box.ts';
import { cleanText } from '../text.ts';
import type { McpConnection } from './server.ts';

/** What providers take of a description. */
const MAX_DESCRIPTION = 1000;
const MAX_NAME = 64;

/** What a server says of one of its tools. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema?: unknown;
}

/** Tools of a server for a model; `@server/tool` in the journal and in policies. `mayHave` and `alias` ask the agent. */
export function mcpTools(
  server: string,
  connection: Pick<McpConnection, 'call'>,
  definitions: readonly ToolDefinition[],
  ask: { mayHave(tool: string): boolean; alias(tool: string): string | null },
): Tool[] {
  return definitions
    .map((definition) => ({ definition, tool: `@${server}/${definition.name}` }))
    .filter(({ tool }) => ask.mayHave(tool))
    .map(({ definition, tool }) => ({
      tool,
      spec: {
        name: ask.alias(tool) ?? modelName(server, definition.name),
        // The server wrote it: it may hold what people would not see.
        description: cleanText(definition.description ?? '').slice(0, MAX_DESCRIPTION),
        inputSchema: schemaOf(definition.inputSchema),
      },
      check: () => null,
      run: ({ args, grant }, signal) => connection.call(definition.name, args, grant ?? null, signal),
    }));
}

/** `server___tool`, as Q shows it to models. */
function modelName(server: string, tool: string): string {
  return `${server}___${tool}`.replaceAll(/[^A-Za-z0-9_-]/g, '_').slice(0, MAX_NAME);
}

function schemaOf(schema: unknown): JsonObject {
  const given: unknown = schema;
  return isObject(given) ? { ...given, type: 'object' satisfies Json } : { type: 'object' };
}
