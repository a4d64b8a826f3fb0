import { join } from 'node:path';
import type { JsonObject } from '../definition/workflow.ts';
import type { Fields } from '../skills/fields.ts';
import type { McpServer } from './files/agent.ts';
import type { AgentPlaces } from './files/find.ts';

/** Q's default for one call. */
const DEFAULT_TIMEOUT_MS = 120_000;

/** Servers by name; null for one that is disabled, so that no weaker file enables it. */
type Servers = Readonly<Record<string, McpServer | null>>;

/** What is left when a stronger file says for each name of its own what holds. The strongest comes last. */
export function mergedServers(files: readonly Servers[]): Record<string, McpServer> {
  const all: Servers = Object.assign({}, ...files);
  return Object.fromEntries(
    Object.entries(all).flatMap(([name, server]) => (server === null ? [] : [[name, server] as const])),
  );
}

/** The servers of an object `mcpServers`. */
export function readMcpServers(fields: Fields | null): Servers {
  const servers: Record<string, McpServer | null> = {};
  for (const name of fields?.keys() ?? []) {
    const server = fields?.object(name) ?? null;
    if (server === null) continue;
    const read = readServer(server);
    if (!/^[A-Za-z0-9_.-]+$/.test(name))
      server.notes.error(server.path, 'the name may have letters, digits, _ . and -');
    else servers[name] = read;
  }
  return servers;
}

function readServer(fields: Fields): McpServer | null {
  const command = fields.string('command');
  const url = fields.string('url');
  const common = {
    timeoutMs: fields.positive('timeout') ?? DEFAULT_TIMEOUT_MS,
    disabledTools: fields.strings('disabledTools'),
  };
  const isDisabled = fields.boolean('disabled') ?? false;
  const [args, env, headers] = [fields.strings('args'), fields.texts('env'), fields.texts('headers')];
  fields.string('type');
  if (fields.has('oauth')) fields.notes.warn(fields.at('oauth'), 'is not supported');
  if (fields.has('autoApprove'))
    fields.notes.warn(fields.at('autoApprove'), 'gives no right here: policies decide');
  fields.warnUnknown();
  if (isDisabled) return null;
  if ((command === null) === (url === null)) {
    fields.notes.error(fields.path, 'needs either a command or a url');
    return null;
  }
  if (command !== null) return { kind: 'command', command, args, env, ...common };
  if (!/^https?:\/\//.test(url ?? ''))
    fields.notes.error(fields.at('url'), 'must be an http or https address');
  return { kind: 'url', url: url ?? '', headers, ...common };
}

/** Files of servers that an agent may take over beside its own, the strongest first. */
export function mcpFiles(product: 'q' | 'kiro', places: AgentPlaces): readonly string[] {
  const { workspace, home } = places;
  return product === 'q'
    ? [join(workspace, '.amazonq', 'mcp.json'), join(home, '.aws', 'amazonq', 'mcp.json')]
    : [
        join(workspace, '.kiro', 'settings', 'mcp.json'),
        join(process.env['KIRO_HOME'] || join(home, '.kiro'), 'settings', 'mcp.json'),
      ];
}

/** The value of `mcpServers` in such a file's content. */
export function serversIn(content: JsonObject): JsonObject {
  const servers = content['mcpServers'];
  return typeof servers === 'object' && servers !== null && !Array.isArray(servers) ? servers : {};
}
