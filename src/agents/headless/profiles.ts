/** How the command lines of Q and Kiro do one task without a person. */
import type { JsonObject } from '../../definition/workflow.ts';
import type { ProfileName } from '../../protocol/agent-profiles.ts';

export interface HeadlessProfile {
  readonly name: ProfileName;
  /** Of its private home: the folder of its agent files. */
  readonly agentFolder: string;
  /** Tools that may be trusted at all, by their names there, with all that they are in our words. */
  readonly tools: Readonly<Record<string, readonly string[]>>;
  /** Exit codes with a meaning of their own. */
  readonly exits: Readonly<Record<number, string>>;
}

/** What writes files or runs commands is never in these lists: guards look at every argument of it. */
const TOOLS: HeadlessProfile['tools'] = {
  // fs_read of Q reads, lists and searches.
  fs_read: ['fs_read', 'fs_list', 'search'],
  use_aws: ['use_aws'],
  knowledge: ['knowledge'],
  thinking: ['thinking'],
  todo_list: ['todo_list'],
};

const EXITS = { 2: 'it does not know these flags; is it a version with chat --no-interactive?' };

const PROFILES: Readonly<Record<string, HeadlessProfile>> = {
  q: { name: 'q', agentFolder: '.aws/amazonq/cli-agents', tools: TOOLS, exits: EXITS },
  'kiro-cli': {
    name: 'kiro-cli',
    agentFolder: '.kiro/agents',
    tools: TOOLS,
    exits: { ...EXITS, 3: 'an MCP server of it did not start' },
  },
};

/** The agent that the command is told to be. */
const AGENT_NAME = 'q-workflow';

/** The profile of that name; null when it has no such command. */
export function headlessProfile(name: ProfileName): HeadlessProfile | null {
  return Object.hasOwn(PROFILES, name) ? (PROFILES[name] ?? null) : null;
}

/** Files of its private home: an agent that has what it is trusted with, and nothing that it would have to ask for. */
export function agentFiles(
  { agentFolder }: HeadlessProfile,
  system: string,
  tools: readonly string[],
): Readonly<Record<string, string>> {
  const agent: JsonObject = {
    name: AGENT_NAME,
    description: 'A step of a workflow.',
    prompt: system,
    mcpServers: {},
    tools: [...tools],
    allowedTools: [...tools],
  };
  return { [`${agentFolder}/${AGENT_NAME}.json`]: JSON.stringify(agent) };
}

/** The words after the program. */
export function chatWords(task: string, tools: readonly string[]): readonly string[] {
  return [
    'chat',
    '--no-interactive',
    '--agent',
    AGENT_NAME,
    `--trust-tools=${tools.join(',')}`,
    // A task that begins with a dash is no flag.
    '--',
    task,
  ];
}
