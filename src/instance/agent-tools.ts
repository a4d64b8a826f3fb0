/** The tools of one agent step, open while its attempt lasts: those of the driver, and its MCP servers. */
import { isAbsolute } from 'node:path';
import { NetworkGrants } from '../../sandbox/network/grants.ts';
import type { Agent, McpServer } from '../agents/files/agent.ts';
import { readGuardrails } from '../agents/files/guardrails.ts';
import { deniedPaths, loadSettingsPatterns, settingsRefusal } from '../agents/files/settings.ts';
import type { HookCache } from '../agents/hooks/hook-cache.ts';
import type { TaskHooks } from '../agents/hooks/task-hooks.ts';
import { ServerProcess } from '../agents/mcp/process.ts';
import { McpConnection } from '../agents/mcp/server.ts';
import { mcpTools } from '../agents/mcp/tools.ts';
import { findProgram, nativeTool } from '../agents/native/native-run.ts';
import { NATIVE_TOOLS } from '../agents/native/native-tools.ts';
import { createToolBox, TOLD_NAME, type Tool, type ToolBox } from '../agents/native/tool-box.ts';
import { mayHave, mayHaveServer, type ToolChoice } from '../agents/native/tool-choice.ts';
import type { Transcript } from '../agents/native/transcript.ts';
import { approvalOf, Suspended } from '../agents/run.ts';
import { cleanText } from '../agents/text.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { HOOK } from '../guard/policy/calls/traffic.ts';
import { maskWith } from '../guard/secret-mask.ts';
import { canonicalTool } from '../guard/tools.ts';
import type { Permit, PermitRequest } from '../protocol/instance-link.ts';
import { Redactor } from '../skills/redact.ts';
import type { CallsInFlight } from './calls-in-flight.ts';
import { usedTier } from './step-sandbox.ts';
import { createToolHost, type StepToolHost, type ToolHostParts } from './tool-host.ts';

export interface OpenTools {
  readonly box: ToolBox;
  readonly hooks: TaskHooks | null;
  /** Ends every server. */
  close(): Promise<void>;
}

export interface ToolsParts extends ToolHostParts {
  readonly ask: (request: PermitRequest, signal: AbortSignal) => Promise<Permit | null>;
  readonly transcript: Pick<Transcript, 'waitingTools'>;
  readonly hookCache: HookCache;
  readonly calls: Pick<CallsInFlight, 'serve'>;
}

/** Throws MCP_FAILED, ISOLATION_MISSING or POLICY_DENIED; nothing of it is left then. */
export async function openTools(parts: ToolsParts, agent: Agent, signal: AbortSignal): Promise<OpenTools> {
  const { allowedTools, deniedTools } = readGuardrails(parts.step);
  const choice: ToolChoice = { tools: agent.tools, allowed: allowedTools, denied: deniedTools };
  const host = createToolHost(parts);
  const folders = { workspace: host.workspace, home: parts.bootstrap.env['HOME'] ?? null };
  const tools: Tool[] = Object.keys(NATIVE_TOOLS)
    .filter((name) => mayHave(choice, name))
    .flatMap((name) => {
      const denied = { patterns: deniedPaths(agent.toolsSettings, name), home: folders.home };
      return nativeTool(name, aliasOf(agent, name) ?? name, host, denied) ?? [];
    });
  const connections: McpConnection[] = [];
  const served: (() => void)[] = [];
  const close = async (): Promise<void> => {
    for (const leave of served) leave();
    await Promise.all(connections.map((connection) => connection.close().catch(parts.onLeftover)));
  };
  try {
    for (const [name, server] of Object.entries(agent.mcpServers)) {
      if (!mayHaveServer(choice, name)) continue;
      await refuseServer(parts, name, signal);
      // Who asked a person has let go of its servers: what was approved is called first after the start.
      const isWaiting = parts.transcript.waitingTools.some((tool) => tool.startsWith(`@${name}/`));
      const grants = isWaiting ? new NetworkGrants() : null;
      const connection = new McpConnection({
        name,
        timeoutMs: server.timeoutMs,
        launch: () => launchServer(parts, host, name, server, grants),
        shown: (text) => masked(parts, server).text(cleanText(text)),
        grants,
      });
      connections.push(connection);
      served.push(parts.calls.serve(name, () => connection.end()));
      const definitions = await connection.list(signal);
      tools.push(
        ...mcpTools(name, connection, definitions, {
          mayHave: (tool) =>
            mayHave(choice, tool) && !server.disabledTools.includes(tool.slice(name.length + 2)),
          alias: (tool) => aliasOf(agent, tool),
        }),
      );
    }
  } catch (error) {
    await close();
    throw error;
  }
  await loadSettingsPatterns(agent.toolsSettings);
  const box = createToolBox(tools, ({ tool }, args) =>
    settingsRefusal(agent.toolsSettings, tool, args, folders),
  );
  return { box, hooks: hooksOf(parts, host, agent), close };
}

/** Its hooks run like its tools: each in a process of its own, in the same sandbox, without start files of a shell. */
function hooksOf(
  { bootstrap, command, hookCache }: ToolsParts,
  host: StepToolHost,
  agent: Agent,
): TaskHooks | null {
  if (agent.hooks === undefined) return null;
  const cwd = host.workspace;
  return {
    hooks: agent.hooks,
    cwd,
    session: `${bootstrap.instance}/${command.path}`,
    outputs: hookCache.of(agent.hash),
    run: (hook, stdin, grant, signal) => {
      const args = ['--noprofile', '--norc', '-c', hook.command];
      const spec = { file: findProgram('bash', cwd, host), args, cwd, env: host.env };
      return host.run(HOOK, { spec, stdin, timeoutMs: hook.timeoutMs, grant }, signal);
    },
  };
}

/** A server is a process like any other: its start is asked for. */
async function refuseServer(parts: ToolsParts, name: string, signal: AbortSignal): Promise<void> {
  const { bootstrap, command, step } = parts;
  const permit = await parts.ask(
    {
      kind: 'spawn',
      path: command.path,
      attempt: command.attempt,
      subject: `@${name}`,
      agentName: step.agent,
      tier: usedTier(bootstrap, step),
    },
    signal,
  );
  if (permit?.decision === 'allow') return;
  if (permit?.decision === 'wait') throw new Suspended([approvalOf(permit)]);
  const why = permit === null ? 'the step was cancelled' : permit.reason;
  throw new WorkflowError(permit?.code ?? 'POLICY_DENIED', `the MCP server "${name}" was refused: ${why}`);
}

async function launchServer(
  parts: ToolsParts,
  host: StepToolHost,
  name: string,
  server: McpServer,
  grants: NetworkGrants | null,
): Promise<ServerProcess> {
  const cwd = host.workspace;
  const place = (files: readonly string[]) => ({
    scope: host.openScope('mcp'),
    sandbox: host.sandboxFor(`@${name}`, files, grants),
    output: parts.output,
    masked: () => [...parts.masked(), ...tokensOf(server)],
  });
  if (server.kind === 'url') {
    const [file, ...words] = host.runner;
    const target = JSON.stringify({ url: server.url, headers: server.headers });
    return ServerProcess.start(
      name,
      { file, args: [...words, 'mcp'], cwd, env: host.env },
      place(words.slice(-1)),
      target,
    );
  }
  const file = findProgram(server.command, cwd, host);
  const files = [file, ...server.args.filter((word) => isAbsolute(word))];
  const spec = { file, args: server.args, cwd, env: { ...host.env, ...server.env } };
  return ServerProcess.start(name, spec, place(files), null);
}

/** For what a server says, other than on stderr. */
function masked({ bootstrap, masked: values }: ToolsParts, server: McpServer): Redactor {
  return new Redactor([...values(), ...tokensOf(server)], maskWith(bootstrap.maskKey));
}

/** What in its environment or headers looks like a credential: its own output must not show it. */
function tokensOf(server: McpServer): string[] {
  const entries = Object.entries(server.kind === 'url' ? server.headers : server.env);
  return entries
    .filter(([key, value]) => /token|key|secret|password|authorization/i.test(key) && value.length >= 8)
    .map(([, value]) => value);
}

/** What the agent file calls the tool; null where that is no name that providers take. */
function aliasOf(agent: Agent, tool: string): string | null {
  const [, alias] =
    Object.entries(agent.toolAliases).find(([name]) => name === tool || canonicalTool(name) === tool) ?? [];
  return alias !== undefined && TOLD_NAME.test(alias) ? alias : null;
}
