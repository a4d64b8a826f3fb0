import type { JsonObject } from '../definition/workflow.ts';
import type { RunEvent } from '../engine/events.ts';
import type { PermitRequest } from '../protocol/instance-link.ts';

/** True when the event is the intent that this permit is asked with. */
export function isIntentOf(
  event: RunEvent,
  { kind, path, attempt, agent }: Pick<PermitRequest, 'kind' | 'path' | 'attempt' | 'agent'>,
): boolean {
  switch (kind) {
    case 'spawn':
    case 'session':
    case 'approval':
      return event.type === 'step.started' && event.path === path && event.attempt === attempt;
    case 'model':
      return event.type === 'agent.requested' && event.path === path && event.iteration === agent?.iteration;
    case 'tool':
    case 'hook':
      return event.type === 'agent.tool_called' && event.path === path && event.call === agent?.call;
  }
}

/** True for every event that a permit may be asked with. */
export function isIntent({ type }: RunEvent): boolean {
  return type === 'step.started' || type === 'agent.requested' || type === 'agent.tool_called';
}

/** What an intent says that is to be done; this, and nothing that came with the question, is decided. */
export function argumentsOf(event: RunEvent): JsonObject {
  if (event.type === 'step.started') return event.inputs ?? {};
  if (event.type === 'agent.tool_called') return event.args;
  return event.type === 'agent.requested'
    ? { model: { ...event.model }, estimate: { ...event.estimate } }
    : {};
}
