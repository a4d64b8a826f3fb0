/** An agent without processes or network: a model that plays a script, tools that answer at once, a journal in memory. */

import assert from 'node:assert/strict';
import type { TaskHooks } from '../../src/agents/hooks/task-hooks.ts';
import { ModelFault, type ModelPart, type ModelRequest } from '../../src/agents/model/model.ts';
import { runAgent } from '../../src/agents/native/loop.ts';
import {
  createToolBox,
  type Tool,
  type ToolCall,
  type ToolResult,
} from '../../src/agents/native/tool-box.ts';
import { readTranscript } from '../../src/agents/native/transcript.ts';
import type { AgentTask, AgentWorld } from '../../src/agents/run.ts';
import type { JsonObject } from '../../src/definition/workflow.ts';
import type { AgentEvent } from '../../src/engine/agent-events.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import { stuckLimits } from '../../src/guard/stuck.ts';
import type { AgentIntent, Permit } from '../../src/protocol/instance-link.ts';

/** One try of a request: its parts, or what it throws. A function sees the request and the signal. */
export type Turn =
  | readonly ModelPart[]
  | Error
  | ((request: ModelRequest, signal: AbortSignal) => AsyncIterable<ModelPart>);

export const USAGE = { in: 100, out: 20, cached: 0 };

export function says(text: string, more: Partial<Extract<ModelPart, { type: 'finish' }>> = {}): ModelPart[] {
  return [
    { type: 'text', delta: text },
    { type: 'finish', reason: 'stop', isWhole: true, usage: USAGE, ...more },
  ];
}

/** An answer that calls tools: `[name, args]` each; a text is taken for arguments as they come over the wire. */
export function calls(
  ...wanted: readonly (readonly [name: string, args: JsonObject | string])[]
): ModelPart[] {
  return [
    ...wanted.map(
      ([name, args], index): ModelPart => ({
        type: 'call',
        id: `t${index}`,
        name,
        input: typeof args === 'string' ? args : JSON.stringify(args),
      }),
    ),
    { type: 'finish', reason: 'tool-calls', isWhole: true, usage: USAGE },
  ];
}

export interface FakeOptions {
  readonly turns: readonly Turn[];
  readonly tools?: Readonly<
    Record<string, (call: ToolCall, signal: AbortSignal) => ToolResult | Promise<ToolResult>>
  >;
  readonly limits?: Partial<AgentTask['limits']>;
  readonly rules?: Partial<AgentTask['rules']>;
  readonly spec?: Partial<AgentTask['spec']>;
  readonly timeoutMs?: number;
  readonly refusal?: (tool: Tool, args: JsonObject) => string | null;
  readonly permit?: (
    kind: 'model' | 'tool' | 'hook',
    intent: AgentIntent,
  ) => Promise<Partial<Permit>> | Partial<Permit> | null;
  /** Why a kill switch ended a call of this tool, or null. */
  readonly switchedOff?: (tool: string) => string | null;
  readonly mask?: (text: string) => string;
  readonly hooks?: TaskHooks;
  /** What an earlier process left. */
  readonly journal?: readonly RunEvent[];
}

export interface FakeAgent {
  /** Journal of the earlier process and of this one. */
  readonly events: RunEvent[];
  readonly requests: ModelRequest[];
  readonly waits: number[];
  readonly abort: AbortController;
  /** Permits asked for, each with the number of events that were journaled before it. */
  readonly asked: { readonly kind: string; readonly intent: AgentIntent; readonly after: number }[];
  run(): Promise<JsonObject | null>;
}

export function fakeAgent(options: FakeOptions): FakeAgent {
  const events: RunEvent[] = [...(options.journal ?? [])];
  const requests: ModelRequest[] = [];
  const waits: number[] = [];
  const asked: FakeAgent['asked'] = [];
  const abort = new AbortController();
  const turns = [...options.turns];
  const transcript = readTranscript(
    {
      journal: events.map((event) => ({ at: 0, event })),
      lastProcess: null,
      resumed: [],
      usedApprovals: new Set(),
    },
    'a',
    (event) => event,
  );
  const world: AgentWorld = {
    record: (more: readonly AgentEvent[]) => {
      for (const event of more) {
        events.push(event);
        transcript.apply(event);
      }
    },
    permit: async (kind, intent) => {
      asked.push({ kind, intent, after: events.length });
      const answer = await options.permit?.(kind, intent);
      if (answer === null) return null;
      return {
        decision: 'allow',
        code: null,
        rules: [],
        policyHash: '',
        inputsHash: '',
        epoch: 0,
        reason: '',
        ...answer,
      };
    },
    decided: async () => undefined,
    during: async (tool, signal, work) => {
      const value = await work(signal);
      const switchedOff = options.switchedOff?.(tool) ?? null;
      return switchedOff === null ? { value } : { switchedOff };
    },
    mask: options.mask ?? ((text) => text),
    random: () => 1,
    wait: async (ms) => void waits.push(ms),
  };
  const tools = Object.entries(options.tools ?? {}).map(
    ([name, run]): Tool => ({
      tool: name,
      spec: { name: name.replaceAll(/[@/]/g, '_'), description: '', inputSchema: { type: 'object' } },
      check: (args) => (args['wrong'] === true ? `${name}: wrong is no argument` : null),
      run: async (call, signal) => run(call, signal),
    }),
  );
  const task: AgentTask = {
    path: 'a',
    attempt: 1,
    model: {
      stream: async function* (request, signal) {
        requests.push(request);
        const turn = turns.shift();
        if (turn === undefined) throw new ModelFault('the script is over', { isRetryable: false });
        if (turn instanceof Error) throw turn;
        yield* typeof turn === 'function' ? turn(request, signal) : turn;
      },
    },
    spec: { name: 'default', id: 'm-1', maxOutputTokens: null, price: null, ...options.spec },
    system: 'You are a test.',
    task: 'Do it.',
    tools: createToolBox(tools, options.refusal ?? (() => null)),
    hooks: options.hooks ?? null,
    limits: {
      maxIterations: 10,
      maxToolCalls: null,
      maxTokens: null,
      maxCostUsd: null,
      maxExecutionMs: null,
      maxOutputBytes: null,
      ...options.limits,
    },
    stuck: stuckLimits([]),
    timeoutMs: options.timeoutMs ?? null,
    rules: { outputs: [], checkSchema: null, ...options.rules },
  };
  return {
    events,
    requests,
    waits,
    asked,
    abort,
    run: () => runAgent(task, transcript, world, abort.signal),
  };
}

/** Short lines for events: `tool_ended c1-1 ok`. */
export function lines(events: readonly RunEvent[]): string[] {
  return events.map((event) => {
    const name = event.type.replace('agent.', '');
    switch (event.type) {
      case 'agent.requested':
        return `${name} ${event.iteration}`;
      case 'agent.request_failed':
        return `${name} ${event.iteration}.${event.retry} ${event.status ?? '-'} ${event.retryInMs ?? 'last'}`;
      case 'agent.answered':
        return `${name} ${event.iteration} ${event.finish}`;
      case 'agent.tool_called':
        return `${name} ${event.call} ${event.tool}`;
      case 'agent.tool_ended':
        return `${name} ${event.call} ${event.outcome}`;
      case 'agent.violated':
        return `${name} ${event.call ?? '-'} ${event.tool ?? '-'}: ${event.reason}`;
      default:
        return name;
    }
  });
}

/** Every intent has one outcome, and none came before its intent. */
export function checkPairs(events: readonly AgentEvent[]): void {
  const open = new Set<string>();
  const seen = new Set<string>();
  for (const event of events) {
    if (event.type === 'agent.tool_called') {
      assert.ok(!seen.has(event.call), `${event.call} was called twice`);
      open.add(event.call);
      seen.add(event.call);
    }
    if (event.type === 'agent.tool_ended')
      assert.ok(open.delete(event.call), `${event.call} ended without an intent`);
  }
  assert.deepEqual([...open], [], 'intents without an outcome');
}
