/** A world for the wizard's tests, and people who answer. */
import type { Skill, SkillParameter } from '../../src/skills/skill.ts';
import type { Said } from '../../src/wizard/conversation.ts';
import { type Flow, type Question, refusal } from '../../src/wizard/question.ts';
import type { NamedAgent, World } from '../../src/wizard/world.ts';

export function skill(
  name: string,
  description: string,
  parameters: readonly Partial<SkillParameter>[] = [],
): Skill {
  return {
    name,
    type: 'code_inline',
    shape: 'A',
    description,
    version: null,
    aliases: [],
    file: `/ws/.q-skills/${name}.json`,
    hash: '',
    command: 'true',
    literalArgs: [],
    args: [],
    promptTemplate: null,
    parameters: parameters.map((each) => ({
      name: 'x',
      type: 'string',
      isRequired: false,
      default: undefined,
      values: null,
      pattern: null,
      description: '',
      ...each,
    })),
    workingDir: null,
    environment: {},
    timeoutMs: null,
    limits: { maxMemoryBytes: null, maxCpuPercent: null, maxExecutionTimeMs: null },
    permissions: null,
    session: { ttlMs: 0, maxSessions: 1, isCleanedUpOnExit: true },
    model: null,
    contextFiles: [],
    problems: [],
  };
}

export function agent(name: string, description: string): NamedAgent {
  return {
    name,
    description,
    file: `/ws/.amazonq/cli-agents/${name}.json`,
    hash: '',
    prompt: '',
    model: null,
    tools: [],
    toolAliases: {},
    allowedTools: [],
    toolsSettings: {},
    mcpServers: {},
    outputSchema: null,
    problems: [],
  };
}

export const SKILLS: readonly Skill[] = [
  skill('disk-usage', 'Reports how full the disks are', [
    { name: 'path', isRequired: true, description: 'where to look' },
    { name: 'depth', type: 'number', default: 1 },
    { name: 'mode', type: 'enum', values: ['fast', 'exact'], default: 'fast' },
  ]),
  skill('http-fetch', 'Fetches a URL', [
    { name: 'url', isRequired: true },
    { name: 'headers', type: 'object' },
    { name: 'follow', type: 'boolean', default: true },
    { name: 'tags', type: 'array' },
  ]),
  skill('send-mail', 'Sends a mail'),
];

export function worldOf(more: Partial<World> = {}): World {
  return {
    skills: SKILLS,
    agents: [agent('triage', 'Sorts reports by severity')],
    timezone: 'Europe/Berlin',
    now: () => Date.parse('2026-03-28T12:00:00Z'),
    model: null,
    draft: () => Promise.reject(new Error('no model')),
    folders: [
      { label: 'this workspace', folder: '/ws/.amazonq/workflows' },
      { label: 'all your workspaces', folder: '/home/.aws/amazonq/workflows' },
    ],
    exists: () => false,
    absolute: (path) => (path.startsWith('/') ? path : `/ws/${path}`),
    picture: () => 'a picture',
    ...more,
  };
}

/**
 * Leads a flow to its end by a map from the ids of questions to replies; `*` at the end of a key stands for the rest.
 * What is not in it gets the standard reply. Throws when a reply is refused.
 */
export async function answered<T>(
  flow: Flow<T>,
  replies: Readonly<Record<string, string>>,
): Promise<{ value: T; said: Said[] }> {
  const said: Said[] = [];
  const unused = new Set(Object.keys(replies));
  let next = flow.next();
  while (next.done !== true) {
    const question: Question = next.value;
    unused.delete(question.id);
    const reply =
      question.kind === 'work' ? await question.work() : (replies[question.id] ?? standardOf(question));
    const why = question.kind === 'work' ? null : await refusal(question, reply);
    if (why !== null) throw new Error(`${question.id} does not take ${JSON.stringify(reply)}: ${why}`);
    said.push({ id: question.id, reply });
    if (said.length > 500) throw new Error('a conversation without an end');
    next = flow.next(reply);
  }
  if (unused.size > 0)
    throw new Error(`not asked: ${[...unused].join(', ')}; but ${said.map(({ id }) => id).join(', ')}`);
  return { value: next.value, said };
}

function standardOf(question: Exclude<Question, { kind: 'work' }>): string {
  return question.standard;
}
