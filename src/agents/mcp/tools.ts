import type { Json, JsonObject } from '../../definition/workflow.ts';
import { isObject } from '../../skills/fields.ts';
import { isStorable } from '../../skills/result.ts';
import type { Tool } from '../native/tool-box.ts';
import { cleanText } from '../text.ts';
import type { McpConnection } from './server.ts';

/** What providers take of a description. */
const MAX_DESCRIPTION = 1000;
const MAX_NAME = 64;
/** Far more than the protocol has for a name. */
const MAX_OWN_NAME = 256;
/** Of a schema. */
const MAX_DEPTH = 64;

const WORDS: ReadonlySet<string> = new Set(['title', 'description', '$comment']);

/** What a server says of one of its tools. */
export interface ToolDefinition {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema?: unknown;
}

/**
 * Tools of a server for a model; `@server/tool` in the journal and in policies. `mayHave` and `alias` ask the agent. One
 * whose name people could not read as it is, nor name in a policy, is left out.
 */
export function mcpTools(
  server: string,
  connection: Pick<McpConnection, 'call'>,
  definitions: readonly ToolDefinition[],
  ask: { mayHave(tool: string): boolean; alias(tool: string): string | null },
): Tool[] {
  return definitions
    .filter(({ name }) => name.length <= MAX_OWN_NAME && cleanText(name) === name && !/[\t\n]/.test(name))
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
  if (!isObject(schema) || !isStorable(schema, MAX_DEPTH)) return { type: 'object' };
  return { ...(cleanWords(schema) as JsonObject), type: 'object' };
}

/** What a schema says to the model is cleaned like the description; names and patterns stay what they are. */
function cleanWords(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(cleanWords);
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      typeof item === 'string' && WORDS.has(key) ? cleanText(item) : cleanWords(item),
    ]),
  );
}
