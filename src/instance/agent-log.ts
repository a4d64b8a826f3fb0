import type { AgentEvent, AgentMessage } from '../engine/agent-events.ts';
import type { StreamName } from '../skills/output.ts';

const MAX_SHOWN = 400;

/** What the log of an agent step shows of an event: what the model says on stdout, what it does on stderr. */
export function eventLines(event: AgentEvent): { readonly stream: StreamName; readonly text: string }[] {
  switch (event.type) {
    case 'agent.requested':
      return [];
    case 'agent.request_failed': {
      const next = event.retryInMs === null ? 'given up' : `again in ${event.retryInMs / 1000} s`;
      return [note(`model request ${event.iteration} failed: ${event.reason}; ${next}`)];
    }
    case 'agent.answered': {
      // It is the event as it was made here, not as it lies in the journal.
      const { text } = event.message as unknown as AgentMessage;
      return text === '' ? [] : [{ stream: 'stdout', text: text.endsWith('\n') ? text : `${text}\n` }];
    }
    case 'agent.tool_called':
      return [note(`${event.call} ${event.tool} ${short(JSON.stringify(event.args))}`)];
    case 'agent.tool_ended':
      return [
        note(`${event.call} ${event.outcome}, ${event.bytes} bytes: ${short(JSON.stringify(event.result))}`),
      ];
    case 'agent.violated':
      return [note(`violation: ${event.reason}`)];
  }
}

function note(text: string): { readonly stream: StreamName; readonly text: string } {
  return { stream: 'stderr', text: `${text}\n` };
}

/** One line. */
function short(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length <= MAX_SHOWN ? line : `${line.slice(0, MAX_SHOWN - 1)}…`;
}
