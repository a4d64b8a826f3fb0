/** The conversation of one agent step, built from its journal: what was asked, answered, called, and what it used. */
import { canonicalJson } from '../../audit/canonical.ts';
import type { Json, JsonObject } from '../../definition/workflow.ts';
import type {
  AgentCall,
  AgentEvent,
  AgentMessage,
  HookEvent,
  TokenCount,
  ToolOutcome,
} from '../../engine/agent-events.ts';
import type { RunEvent } from '../../engine/events.ts';
import type { ProcessEnd } from '../../protocol/instance-link.ts';
import type { WorkClock } from '../work-clock.ts';
import type { CallRecord } from './stuck.ts';

export interface CallState extends AgentCall {
  readonly iteration: number;
  /** Canonical name, once the call is journaled. */
  tool: string | null;
  outcome: ToolOutcome | null;
  result: string;
}

export interface TurnState {
  readonly iteration: number;
  readonly text: string;
  readonly finish: string;
  readonly calls: readonly CallState[];
}

/** A hook of the agent file, as the journal has it. */
export interface HookState {
  readonly event: HookEvent;
  outcome: ToolOutcome | null;
  /** What it said, or why it did not. */
  result: string;
}

const NOTHING: TokenCount = { in: 0, out: 0, cached: 0, estimated: false };

/** One path's conversation. `apply` takes its events in order, those of the journal and those that are made now. */
export class Transcript {
  /** Model requests of the step, over crashes, resumes and attempts. */
  iterations = 0;
  /** Tool calls of the step that were journaled. */
  toolCalls = 0;
  usage: TokenCount = NOTHING;
  /** Bytes that the tools of the step have brought. */
  outputBytes = 0;
  /** Of the current conversation. */
  turns: TurnState[] = [];
  /** Calls that have ended, of the current conversation, in that order. */
  ended: CallRecord[] = [];
  /** Hooks of the current conversation, by what names them in the journal, in that order. */
  hooks = new Map<string, HookState>();
  /** The request that has no answer yet. */
  #open: { readonly in: number } | null = null;
  readonly #calls = new Map<string, CallState>();
  readonly #openCalls = new Set<string>();
  #isHeld = false;
  /** Of the event that was applied last, UTC ms. */
  #lastAt = 0;
  #workedBefore = 0;
  /** What was worked when the attempt began. */
  #workedAtBegin = 0;
  #clock: Pick<WorkClock, 'spentMs'> | null = null;

  /** Time in which the step has worked, of attempts and processes before this one included. */
  get workedMs(): number {
    return this.#workedBefore + (this.#clock?.spentMs ?? 0);
  }

  /** The same of this attempt alone. */
  get attemptMs(): number {
    return this.workedMs - this.#workedAtBegin;
  }

  /** From now on this clock counts. */
  countBy(clock: Pick<WorkClock, 'spentMs'>): void {
    this.#workedBefore = this.workedMs;
    this.#clock = clock;
  }

  /** The number of a request that was never sent, since a person has to approve it first; null when there is none. */
  get heldRequest(): number | null {
    return this.#isHeld && this.#open !== null ? this.iterations : null;
  }

  /** Requests that count: those that were sent, or may have been. One that waits for a person is none yet. */
  get sentRequests(): number {
    return this.iterations - (this.heldRequest === null ? 0 : 1);
  }

  get last(): TurnState | null {
    return this.turns.at(-1) ?? null;
  }

  /** Calls that were journaled and have no outcome: they are under way, or wait for a person. */
  get openCalls(): readonly string[] {
    return [...this.#openCalls];
  }

  /** The tools of the calls that were asked for and have no outcome: persons may have approved them meanwhile. */
  get waitingTools(): readonly string[] {
    return (this.last?.calls ?? []).flatMap(({ tool, outcome }) =>
      tool === null || outcome !== null ? [] : [tool],
    );
  }

  /** What hooks have to say to the model before its first answer. */
  get hookTexts(): readonly string[] {
    return [...this.hooks.values()].flatMap(({ event, outcome, result }) =>
      (event === 'agentSpawn' || event === 'userPromptSubmit') && outcome === 'ok' && result !== ''
        ? [`Said by the hook ${event} of this agent:\n${result}`]
        : [],
    );
  }

  /** `at`: when it was journaled, UTC ms; of no matter where a clock counts. */
  apply(event: AgentEvent, at = 0): void {
    if (this.#clock === null) this.#workedBefore = event.workedMs ?? this.#workedBefore;
    this.#lastAt = at;
    this.#isHeld = false;
    switch (event.type) {
      case 'agent.requested':
        this.#giveUpRequest();
        this.iterations = Math.max(this.iterations, event.iteration);
        this.#open = { in: event.estimate.in };
        return;
      case 'agent.request_failed':
        this.usage = sum(this.usage, event.usage);
        if (event.retryInMs === null) this.#open = null;
        return;
      case 'agent.answered':
        this.#open = null;
        this.usage = sum(this.usage, event.usage);
        this.#addTurn(event.iteration, event.message as unknown as AgentMessage, event.finish);
        return;
      case 'agent.tool_called': {
        this.#openCalls.add(event.call);
        if (event.hook !== undefined) {
          this.hooks.set(event.call, { event: event.hook.event, outcome: null, result: '' });
          return;
        }
        this.toolCalls += 1;
        const call = this.#calls.get(event.call);
        if (call !== undefined) call.tool = event.tool;
        return;
      }
      case 'agent.tool_ended':
        if (event.hook === undefined) this.outputBytes += event.bytes;
        this.#openCalls.delete(event.call);
        this.#endCall(event);
        return;
      case 'agent.violated':
        return;
    }
  }

  /** It waits for a person from now on. */
  hold(): void {
    this.#isHeld = true;
  }

  /** The request was let through: it may be sent from now on, and is spent. */
  letGo(): void {
    this.#isHeld = false;
  }

  /** The process ended in the midst of a request or a call: what it had worked on that, where somebody saw it end. */
  leave({ at, activeMs }: ProcessEnd): void {
    if (this.#isHeld || (this.#open === null && this.#openCalls.size === 0)) return;
    this.#workedBefore += Math.min(activeMs, Math.max(0, at - this.#lastAt));
  }

  /** The attempt failed: the next one begins a new conversation. What was used stays used. */
  startAnew(): void {
    this.#giveUpRequest();
    this.#forget();
  }

  /**
   * The attempt goes on with another process, which knows nothing of what was said. A request that waits for a person
   * was never sent: it is asked for again as the same one, or its approval would be of no use.
   */
  beginAgain(): void {
    if (this.heldRequest === null) this.#giveUpRequest();
    this.#forget();
  }

  #forget(): void {
    this.#workedAtBegin = this.workedMs;
    this.turns = [];
    this.ended = [];
    this.hooks.clear();
    this.#calls.clear();
  }

  /** The process that sent it is gone: what it cost is not known, and not nothing. */
  #giveUpRequest(): void {
    if (this.#open !== null)
      this.usage = sum(this.usage, { in: this.#open.in, out: 0, cached: 0, estimated: true });
    this.#open = null;
  }

  #addTurn(iteration: number, message: AgentMessage, finish: string): void {
    const calls = message.calls.map((call) => ({
      ...call,
      iteration,
      tool: null,
      outcome: null,
      result: '',
    }));
    for (const call of calls) this.#calls.set(call.call, call);
    this.turns.push({ iteration, text: message.text, finish, calls });
  }

  #endCall({ call, outcome, result, hash }: Extract<AgentEvent, { type: 'agent.tool_ended' }>): void {
    const state = this.#calls.get(call);
    const hook = this.hooks.get(call);
    const told = typeof result === 'string' ? result : JSON.stringify(result);
    if (hook !== undefined) Object.assign(hook, { outcome, result: told });
    if (state === undefined) return;
    state.outcome = outcome;
    state.result = told;
    this.ended.push({
      iteration: state.iteration,
      key: `${state.tool ?? state.name} ${canonicalJson(state.args)}`,
      outcome,
      hash,
    });
  }
}

/** What a new process finds of a run. */
export interface Left {
  readonly journal: readonly { readonly at: number; readonly event: RunEvent }[];
  /** Null where nobody saw it, or there was none. */
  readonly lastProcess: ProcessEnd | null;
  /** What the new process said of it first. */
  readonly resumed: readonly RunEvent[];
  /** Numbers of approvals by which a request was let through: its process may have sent it, and it is spent. */
  readonly usedApprovals: ReadonlySet<number>;
}

/** The conversation of a step as a journal tells it. `unpack` reads values that lie in files. */
export function readTranscript(
  { journal, lastProcess, resumed, usedApprovals }: Left,
  path: string,
  unpack: (event: AgentEvent) => AgentEvent,
): Transcript {
  let transcript = new Transcript();
  const take = (event: RunEvent, at: number): void => {
    switch (event.type) {
      case 'step.suspended':
        if (event.path === path && !event.approvals.some((each) => usedApprovals.has(each)))
          transcript.hold();
        break;
      case 'run.resumed':
        // A person had it forgotten: it runs as if it never had.
        if (event.forgotten?.includes(path)) transcript = new Transcript();
        break;
      case 'attempt.failed':
        if (event.path === path) transcript.startAnew();
        break;
      case 'agent.requested':
      case 'agent.request_failed':
      case 'agent.answered':
      case 'agent.tool_called':
      case 'agent.tool_ended':
        if (event.path === path) transcript.apply(unpack(event), at);
        break;
      default:
        break;
    }
  };
  for (const { event, at } of journal) take(event, at);
  if (lastProcess !== null) transcript.leave(lastProcess);
  for (const event of resumed) take(event, 0);
  return transcript;
}

export function sum(a: TokenCount, b: TokenCount): TokenCount {
  return {
    in: a.in + b.in,
    out: a.out + b.out,
    cached: a.cached + b.cached,
    estimated: a.estimated || b.estimated,
  };
}

/** For a result: the count as plain JSON. */
export function usageJson(usage: TokenCount): JsonObject {
  return { ...usage } satisfies Record<string, Json>;
}
