import type { LeafStep, Step, Workflow } from '../../definition/workflow.ts';
import type { RunEvent } from '../../engine/events.ts';
import { stepAt } from '../../engine/step-at.ts';
import type { PermitRequest } from '../../protocol/instance-link.ts';

/**
 * Why a process cannot mean what it asks leave for: its journal has no such intent, or its workflow no such step. Null
 * when both say the same. What is decided, counted and switched off goes by these words, so they are not taken on trust.
 */
export function claimProblem(
  request: PermitRequest,
  intent: RunEvent | null,
  workflow: Workflow,
): string | null {
  const { kind, path, agentName, agent } = request;
  const asked = `leave for a ${kind} of ${path}`;
  if (intent === null) return `asked ${asked} without an intent`;
  if (intent.type === 'agent.tool_called' && intent.tool !== agent?.tool)
    return `asked ${asked} for ${agent?.tool} with the intent of ${intent.tool}`;
  if (intent.type === 'agent.tool_called' && (intent.hook !== undefined) !== (kind === 'hook'))
    return `asked ${asked} with an intent of another kind`;
  const step = stepAt(workflow, path);
  if (!isLeaf(step) || !canAsk(kind, step)) return `asked ${asked}, which no such step asks`;
  if (agentName !== (step.type === 'agent' ? step.agent : null))
    return `asked ${asked} for the agent ${agentName}`;
  return isSubject(request, step) ? null : `asked ${asked} for ${request.subject}`;
}

function isLeaf(step: Step | null): step is LeafStep {
  return step?.type === 'skill' || step?.type === 'agent' || step?.type === 'approval';
}

function canAsk(kind: PermitRequest['kind'], { type }: LeafStep): boolean {
  switch (kind) {
    case 'tool':
    case 'hook':
      return type === 'agent';
    case 'session':
      return type === 'skill';
    case 'approval':
      return type === 'approval';
    case 'spawn':
    case 'model':
      return type !== 'approval';
  }
}

/** Its skill or agent, an MCP server of the agent, or itself. */
function isSubject({ kind, subject }: PermitRequest, step: LeafStep): boolean {
  switch (step.type) {
    case 'skill':
      return subject === step.skill;
    case 'agent':
      return subject === step.agent || (kind === 'spawn' && subject.startsWith('@'));
    case 'approval':
      return subject === step.id;
  }
}
