import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Price } from '../../agents/budget.ts';
import type { Agent } from '../../agents/files/agent.ts';
import { findAgentFile } from '../../agents/files/find.ts';
import { readGuardrails } from '../../agents/files/guardrails.ts';
import { readAgent } from '../../agents/files/read-agent.ts';
import { unknownTool } from '../../agents/files/unknown-tool.ts';
import { chooseModel, readModels } from '../../agents/model/model-config.ts';
import type { ModelSpec } from '../../agents/model/model-spec.ts';
import { mayHave, serversNamed } from '../../agents/native/tool-choice.ts';
import type { Places } from '../../definition/places.ts';
import { allSteps } from '../../definition/references.ts';
import { readRegularFile } from '../../definition/regular-file.ts';
import type { AgentStep, Workflow } from '../../definition/workflow.ts';
import { type Problem, systemCode, WorkflowError } from '../../errors/workflow-error.ts';
import { parsePrices } from '../../guard/prices.ts';
import type { Caller } from '../../protocol/caller.ts';
import { packageRoot } from '../../protocol/install.ts';
import type { Skill } from '../../skills/skill.ts';
import { placeOf } from './pin-skills.ts';

const MAX_CONFIG_BYTES = 1024 * 1024;

/**
 * The agents that a workflow names, read. Throws AGENT_INVALID with every place that is wrong; a missing one was found
 * out before.
 */
export function pinAgents(
  workflow: Workflow,
  caller: Caller,
  where: Places = new Map(),
): { agents: Record<string, Agent>; notes: string[] } {
  const agents: Record<string, Agent> = {};
  const notes: string[] = [];
  const problems: Problem[] = [];
  const places = { workspace: caller.workspace, home: caller.userHome };
  for (const { agent: name, id } of agentSteps(workflow)) {
    if (Object.hasOwn(agents, name)) continue;
    const file = findAgentFile(name, places);
    if (file === null) continue;
    const { agent, notes: found } = readAgent(file, places);
    agents[name] = agent;
    const message = (text: string): string => `the agent "${name}" (${file}) cannot be used: ${text}`;
    for (const each of agent.problems)
      problems.push({
        severity: 'error',
        path: placeOf(id, where),
        message: message(`${each.path} ${each.message}`),
      });
    for (const server of serversNamed(agent.tools))
      if (!Object.hasOwn(agent.mcpServers, server))
        problems.push({
          severity: 'error',
          path: placeOf(id, where),
          message: message(`its tools name the MCP server "${server}", which it does not have`),
        });
    notes.push(
      ...found
        .filter(({ severity }) => severity !== 'error')
        .map((note) => `agent file ${note.file} ${note.path}: ${note.message}`),
    );
  }
  if (problems.length > 0)
    throw new WorkflowError(
      'AGENT_INVALID',
      `the workflow ${workflow.name} names agents that cannot be used`,
      {
        problems,
      },
    );
  return {
    agents,
    notes: [...notes, ...unknownGuardrails(workflow, agents), ...unreadHooks(caller.workspace, agents)],
  };
}

/** Tools that guardrails name and nobody knows. */
function unknownGuardrails(workflow: Workflow, agents: Readonly<Record<string, Agent>>): string[] {
  return agentSteps(workflow).flatMap((step) => {
    if (agents[step.agent]?.driver !== undefined) return [];
    const { allowedTools, deniedTools } = readGuardrails(step);
    const lists = Object.entries({ allowed_tools: allowedTools ?? [], denied_tools: deniedTools });
    return lists.flatMap(([key, names]) =>
      names
        .map(unknownTool)
        .filter((said) => said !== null)
        .map((said) => `step ${step.id} guardrails.${key}: ${said}`),
    );
  });
}

/** Kiro keeps hooks in files of their own too, which no agent file names: what they would block is not blocked here. */
function unreadHooks(workspace: string, agents: Readonly<Record<string, Agent>>): string[] {
  if (!Object.values(agents).some(({ file }) => file.includes('/.kiro/'))) return [];
  const folder = join(workspace, '.kiro', 'hooks');
  const files = listed(folder).filter((name) => name.endsWith('.json'));
  if (files.length === 0) return [];
  return [
    `hooks in files of their own are not run: ${folder} (${files.join(', ')}); those of an agent file are`,
  ];
}

function listed(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // There is none, or nobody of us may look.
    return [];
  }
}

/** True when an agent may run skills: then all of them are pinned, since it chooses by itself. */
export function useSkills(workflow: Workflow, agents: Readonly<Record<string, Agent>>): boolean {
  return agentSteps(workflow).some((step) => {
    const { allowedTools, deniedTools } = readGuardrails(step);
    const choice = { tools: agents[step.agent]?.tools ?? [], allowed: allowedTools, denied: deniedTools };
    return mayHave(choice, 'use_skill');
  });
}

/**
 * The model of every agent and conversation skill, by subject (`agent:NAME`, `skill:NAME`). Reads the configuration of
 * the caller only where something needs a model. Throws MODEL_NOT_CONFIGURED.
 */
export function pinModels(
  workflow: Workflow,
  skills: Readonly<Record<string, Skill>>,
  agents: Readonly<Record<string, Agent>>,
  caller: Caller,
  env: Readonly<Record<string, string>>,
): { models: Record<string, ModelSpec>; notes: string[] } {
  refuseUncounted(workflow, agents);
  const wanted = [
    ...Object.entries(agents)
      .filter(([, { driver }]) => driver === undefined)
      .map(([name, { model }]) => [`agent:${name}`, model] as const),
    ...Object.values(skills)
      .filter(({ type }) => type === 'conversation')
      .map(({ name, model }) => [`skill:${name}`, model] as const),
  ];
  if (wanted.length === 0) return { models: {}, notes: [] };
  const file = `${caller.configHome}/q-workflow/config.json`;
  const catalogue = readModels(file, readConfig(file), env);
  const models: Record<string, ModelSpec> = {};
  const notes: string[] = [];
  for (const [subject, model] of wanted) {
    const { spec, note } = chooseModel(catalogue, model, subject.replace(':', ' '));
    models[subject] = spec.price === null ? { ...spec, price: shippedPrice(spec.id) } : spec;
    if (note !== null) notes.push(note);
  }
  for (const step of agentSteps(workflow)) {
    const spec = models[`agent:${step.agent}`];
    if (spec !== undefined && spec.price === null && readGuardrails(step).limits.maxCostUsd !== null)
      throw new WorkflowError(
        'MODEL_NOT_CONFIGURED',
        `step "${step.id}" has max_cost_usd, and the model "${spec.name}" has no price in ${file} or policies/prices.json`,
      );
  }
  return { models, notes };
}

/** Nobody tells what a request of another maker's agent costs: such a budget would hold nothing. */
function refuseUncounted(workflow: Workflow, agents: Readonly<Record<string, Agent>>): void {
  for (const step of agentSteps(workflow)) {
    const { driver } = agents[step.agent] ?? {};
    if (driver !== undefined && readGuardrails(step).limits.maxCostUsd !== null)
      throw new WorkflowError(
        'AGENT_INVALID',
        `step "${step.id}" has max_cost_usd, and its agent "${step.agent}" has the driver ${driver.name}, which tells no cost`,
      );
  }
}

function agentSteps(workflow: Workflow): AgentStep[] {
  return allSteps(workflow).filter((step) => step.type === 'agent');
}

function readConfig(file: string): string | null {
  try {
    return readRegularFile(file, MAX_CONFIG_BYTES);
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw new WorkflowError('MODEL_NOT_CONFIGURED', `${file} cannot be read: ${String(error)}`, {
      cause: error,
    });
  }
}

/** Of the table that comes with this program; null for a model that is not in it. */
function shippedPrice(id: string): Price | null {
  const { models } = parsePrices(readFileSync(join(packageRoot(), 'policies', 'prices.json'), 'utf8'));
  const price = Object.hasOwn(models, id) ? models[id] : undefined;
  if (price === undefined) return null;
  const { input, output, cached } = price;
  const cheaper = cached === undefined ? {} : { cachedPerMillion: cached };
  return { inputPerMillion: input, outputPerMillion: output, ...cheaper };
}
