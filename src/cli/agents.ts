import { existsSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import type { Agent } from '../agents/files/agent.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Caller } from '../protocol/caller.ts';
import { type Part, partNamed } from './text/parts.ts';

export const NO_AGENTS = [
  'No agents here yet.',
  'Put a file into .amazonq/cli-agents/ of this folder: {"name": "reviewer", "prompt": "…", "tools": ["fs_read"]}',
  'How they are written: docs/agents.md',
].join('\n');

/** Every agent that can be named from here, by the name of its file. */
export async function listAgents(caller: Caller): Promise<readonly Part[]> {
  const { listAgentFiles } = await import('../agents/files/find.ts');
  const files = listAgentFiles(placesOf(caller));
  return Promise.all(files.map(({ name, file }) => agentPart(name, file, caller)));
}

/** By name, or by the path of a file. Throws NO_SUCH_AGENT. */
export async function findAgent(given: string, caller: Caller): Promise<Part> {
  if (!given.includes('/') && !/\.(json|md)$/.test(given))
    return partNamed(await listAgents(caller), given, 'agent');
  const file = resolve(caller.workspace, given);
  if (!existsSync(file)) throw new WorkflowError('NO_SUCH_AGENT', `there is no file ${file}`);
  return { ...(await agentPart(basename(file, extname(file)), file, caller)), source: 'file' };
}

function placesOf({ workspace, userHome }: Caller): { workspace: string; home: string } {
  return { workspace, home: userHome };
}

async function agentPart(name: string, file: string, caller: Caller): Promise<Part> {
  const { readAgent } = await import('../agents/files/read-agent.ts');
  const { agent, notes } = readAgent(file, placesOf(caller));
  return {
    name,
    type: agent.driver === undefined ? 'native' : `${agent.driver.name} ${agent.driver.profile}`,
    description: agent.description,
    file,
    source: file.startsWith(`${caller.workspace}/`) ? 'workspace' : 'user',
    is_usable: agent.problems.length === 0,
    notes,
    facts: factsOf(name, agent),
  };
}

/** Each with its event: they are commands that run. */
function hooksOf({ hooks = {} }: Agent): string[] {
  return Object.entries(hooks).flatMap(([event, list]) => list.map(({ command }) => `${event}: ${command}`));
}

const MAX_PROMPT_LINES = 12;

/** Environment and headers of MCP servers stay out: they may hold keys. */
function factsOf(name: string, agent: Agent): Part['facts'] {
  const facts: [string, string | readonly string[]][] = [
    ['calls itself', agent.name === name ? '' : agent.name],
    ['model', agent.model ?? 'the default one'],
    ['tools', agent.tools.join(', ')],
    ['asks not for', agent.allowedTools.join(', ')],
    ['MCP servers', Object.keys(agent.mcpServers).join(', ')],
    ['hooks', hooksOf(agent)],
    ['prompt', agent.prompt.trim() === '' ? '' : agent.prompt.trim().split('\n').slice(0, MAX_PROMPT_LINES)],
    ['answer', agent.outputSchema === null ? '' : 'by a JSON Schema'],
  ];
  return Object.fromEntries(facts.filter(([, fact]) => fact.length > 0));
}
