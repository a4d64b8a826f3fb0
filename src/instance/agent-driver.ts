import type { OpenDriver } from './opened-driver.ts';
/** The driver of one attempt: our own loop, or a program of another maker in the sandbox of the step. */

import { nativeDriver } from '../agents/driver.ts';
import type { Agent } from '../agents/files/agent.ts';
import { openModel } from '../agents/model/provider.ts';
import { createToolBox, type ToolBox } from '../agents/native/tool-box.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { BootModel } from '../protocol/instance-link.ts';
import type { AgentAttemptParts } from './agent-attempt-parts.ts';
import { openTools } from './agent-tools.ts';

const NO_TOOLS: ToolBox = createToolBox([], () => null);

/**
 * `agent` is null for a conversation skill; `subject` names the model. Throws MODEL_NOT_CONFIGURED, MCP_FAILED,
 * SPAWN_FAILED, ISOLATION_MISSING and POLICY_DENIED; nothing of it is left then.
 */
export async function openDriver(
  parts: AgentAttemptParts,
  agent: Agent | null,
  subject: string,
  signal: AbortSignal,
): Promise<OpenDriver> {
  if (agent?.driver === undefined) return openNative(parts, agent, subject, signal);
  const { openProgram } = await import('./agent-program.ts');
  return openProgram(parts, agent, agent.driver);
}

async function openNative(
  parts: AgentAttemptParts,
  agent: Agent | null,
  subject: string,
  signal: AbortSignal,
): Promise<OpenDriver> {
  const { spec, keys } = usableModel(parts.bootstrap.models[subject], subject);
  const model = await openModel(spec, keys);
  const { step } = parts.command;
  const tools =
    agent === null || step.type !== 'agent'
      ? null
      : await openTools({ ...parts, step, output: parts.log }, agent, signal);
  return {
    driver: nativeDriver(
      { model, spec, tools: tools?.box ?? NO_TOOLS, hooks: tools?.hooks ?? null },
      async () => tools?.close(),
    ),
    secrets: Object.values(keys),
  };
}

function usableModel(model: BootModel | undefined, subject: string): BootModel {
  if (model === undefined)
    throw new WorkflowError('MODEL_NOT_CONFIGURED', `no model is pinned for ${subject.replace(':', ' ')}`);
  if (model.problem !== null) throw new WorkflowError('MODEL_NOT_CONFIGURED', model.problem);
  return model;
}
