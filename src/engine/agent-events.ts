/**
 * What a native agent did, as the journal keeps it. These events change no state of the run; the conversation of an
 * agent is rebuilt from them after a crash. `iteration` counts the model requests of a step from 1, over crashes,
 * resumes and attempts. `call` names one tool call within the step, such as `c3-1`.
 */
import type { Json, JsonObject } from '../definition/workflow.ts';

/** Tokens. `estimated`: the provider did not say, they are worked out from the bytes. */
export interface TokenCount {
  readonly in: number;
  readonly out: number;
  /** Part of `in` that came from the provider's cache. */
  readonly cached: number;
  readonly estimated: boolean;
}

/** `interrupted`: its process ended, or was ended, while the call was open; nobody knows how far it came. */
export type ToolOutcome = 'ok' | 'error' | 'denied' | 'interrupted';

export type AgentEvent = AgentFact & {
  /** What the step had worked by then, over its processes and without pauses; ms. */
  readonly workedMs?: number;
};

type AgentFact =
  /** The intent of a model request: committed before it is sent, and what is counted against `max_iterations`. */
  | {
      readonly type: 'agent.requested';
      readonly path: string;
      readonly attempt: number;
      readonly iteration: number;
      /** Name in the configuration and the provider's own id. */
      readonly model: { readonly name: string; readonly id: string };
      /** `out`: the most that the answer may have; 0 = the provider's own limit. */
      readonly estimate: { readonly in: number; readonly out: number };
      /** The prices that the cost budget of the step is counted with. */
      readonly price?: { readonly input_per_million: number; readonly output_per_million: number };
    }
  /** One try of that request failed; `retryInMs` null: there is no further one. */
  | {
      readonly type: 'agent.request_failed';
      readonly path: string;
      readonly iteration: number;
      /** The first try is 0. */
      readonly retry: number;
      readonly reason: string;
      readonly status: number | null;
      readonly usage: TokenCount;
      readonly retryInMs: number | null;
    }
  | {
      readonly type: 'agent.answered';
      readonly path: string;
      readonly iteration: number;
      /** An AgentMessage; a large one lies in a file. */
      readonly message: Json;
      readonly usage: TokenCount;
      readonly finish: string;
    }
  /** The intent of a tool call: committed, together with the decision about it, before the tool runs. */
  | {
      readonly type: 'agent.tool_called';
      readonly path: string;
      readonly iteration: number;
      readonly call: string;
      readonly tool: string;
      readonly args: JsonObject;
      /** A hook of the agent file, no call of a tool: `tool` is `hook:EVENT`. */
      readonly hook?: HookIntent;
    }
  | {
      readonly type: 'agent.tool_ended';
      readonly path: string;
      readonly call: string;
      readonly outcome: ToolOutcome;
      /** What the model is told, capped and masked; a large text lies in a file. */
      readonly result: Json;
      /** Of the whole result, before it was capped, and the SHA-256 of what the model is told. */
      readonly bytes: number;
      readonly hash: string;
      /** Of a hook: its event. */
      readonly hook?: HookEvent;
    }
  /** An agent of another maker did something that it had no permission for; its step ends with AGENT_VIOLATION. */
  | {
      readonly type: 'agent.violated';
      readonly path: string;
      readonly attempt: number;
      /** Null where it was no call of a tool. */
      readonly call: string | null;
      readonly tool: string | null;
      readonly reason: string;
    };

/**
 * When the hooks of an agent file run: a conversation begins, the task is about to be put to the model, a call is
 * allowed and about to be run, a call was run, the agent has given its answer.
 */
export type HookEvent = 'agentSpawn' | 'userPromptSubmit' | 'preToolUse' | 'postToolUse' | 'stop';

/** What a hook of an agent file belongs to. */
export interface HookIntent {
  readonly event: HookEvent;
  /** The call that it is about; null where it is about none. */
  readonly call: string | null;
  /** Nothing runs: what it has printed before is used again. */
  readonly isCached?: true;
}

export type AgentEventType = AgentEvent['type'];

export interface AgentMessage {
  readonly text: string;
  readonly calls: readonly AgentCall[];
}

export interface AgentCall {
  readonly call: string;
  /** As the model named it. */
  readonly name: string;
  readonly args: JsonObject;
  /** Why the arguments are none; `args` is empty then. */
  readonly malformed?: string;
  /** What the provider wants to see again with the call. */
  readonly meta?: JsonObject;
}

/** True for an event that tells what an agent did. */
export function isAgentEvent<Event extends { readonly type: string }>(
  event: Event,
): event is Extract<Event, { readonly type: AgentEventType }> {
  return event.type.startsWith('agent.');
}
