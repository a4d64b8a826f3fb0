/** Has the calls of another maker's agent decided, each with its intent in the journal first, and writes down their ends. */
import { canonicalJson, sha256 } from '../../audit/canonical.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import type { ToolOutcome } from '../../engine/agent-events.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { canonicalTool } from '../../guard/tools.ts';
import type { Permit } from '../../protocol/instance-link.ts';
import { onAbort } from '../../skills/waits.ts';
import { limitError } from '../budget.ts';
import { type CallRecord, stuckReason } from '../native/stuck.ts';
import type { Transcript } from '../native/transcript.ts';
import { type AgentJob, type AgentWorld, approvalOf, Cancelled } from '../run.ts';
import { capText, cleanText, maskJson } from '../text.ts';
import type { AgentCall, CallBook, OpenIntent } from './call-book.ts';
import type { JudgedCall } from './judged-call.ts';

export interface JudgeParts {
  readonly job: AgentJob;
  readonly world: AgentWorld;
  readonly transcript: Transcript;
  readonly signal: AbortSignal;
  /** Why agent file and guardrails refuse a call; null when they do not. */
  readonly refusal: (tool: string, args: JsonObject) => string | null;
  /** A kill switch covers a call that may be running; `isAtOnce`: without any grace. */
  readonly switchedOff: (tool: string, reason: unknown) => void;
  /** Waits, while the agent stands still and the clock too. */
  readonly held: (wait: () => Promise<void>) => Promise<void>;
}

/** A decision that takes longer is a refusal. */
const DECISION_TIMEOUT_MS = 30_000;
/** Nobody has a use for more in one attempt, and each is a record. */
const MAX_CALLS = 2000;

export class CallJudge {
  readonly #parts: JudgeParts;
  readonly #book: CallBook;
  readonly #ended: CallRecord[] = [];
  /** What ends the watch of a kill switch, by intent. */
  readonly #watches = new Map<string, () => void>();
  /** Of the prompt that is under way. */
  iteration = 0;
  #number = 0;

  constructor(parts: JudgeParts, book: CallBook) {
    this.#parts = parts;
    this.#book = book;
  }

  /**
   * Has each part decided until one is denied: then the call may not run. `refusal` refuses it without asking. Throws
   * Cancelled, AGENT_LIMIT and AGENT_STUCK.
   */
  async decide(call: AgentCall, parts: readonly JudgedCall[], refusal: string | null): Promise<void> {
    for (const judged of parts) {
      await this.#decideOne(call, judged, refusal);
      if (call.denial === null) continue;
      this.#settle(call, 'denied', `denied: ${call.denial}`);
      this.#checkStuck();
      return;
    }
  }

  /** Writes down how a call ended. Throws AGENT_LIMIT and AGENT_STUCK. */
  end(call: AgentCall, outcome: 'ok' | 'error'): void {
    call.hasEnded = true;
    // It was not run, or it says so: nobody asked. It is written down, and counts.
    if (call.decided.size === 0) {
      this.#refuseMore();
      for (const judged of this.#book.undecided(call)) this.#intend(call, judged);
    }
    const { output } = call.facts;
    this.#settle(call, outcome, output?.text ?? '', output?.bytes);
    call.facts = { id: call.id };
    const { limits } = this.#parts.job;
    const { outputBytes } = this.#parts.transcript;
    if (limits.maxOutputBytes !== null && outputBytes > limits.maxOutputBytes)
      throw limitError('output_bytes', limits.maxOutputBytes, outputBytes, 'by the results of its tools');
    this.#checkStuck();
  }

  /** Writes down what the agent did without permission; answers the error that ends its step. */
  violated(call: AgentCall | null, agent: string, reason: string): WorkflowError {
    const { path, attempt } = this.#parts.job;
    if (call !== null && call.open.length === 0)
      for (const judged of this.#book.undecided(call)) this.#intend(call, judged);
    const first = call?.open[0] ?? null;
    const tool = first?.judged.tool ?? (call === null ? null : this.#toolOf(call));
    const title = this.#shown(call?.facts.title ?? '').slice(0, 200);
    const what = tool === null ? '' : ` (${tool}${title === '' ? '' : `, "${title}"`})`;
    const shown = this.#shown(`${reason}${what}`);
    this.#parts.world.record([
      { type: 'agent.violated', path, attempt, call: first?.intent ?? null, tool, reason: shown },
    ]);
    return new WorkflowError('AGENT_VIOLATION', `the agent ${agent} was killed: ${shown}`, {
      details: { tool, call: first?.intent ?? null },
    });
  }

  /** Nothing of the agent is left: what was open is nobody's any more. */
  interrupt(why: string): void {
    for (const call of this.#book.open) this.#settle(call, 'interrupted', why);
  }

  async #decideOne(call: AgentCall, judged: JudgedCall, given: string | null): Promise<void> {
    const { world, signal } = this.#parts;
    this.#refuseMore();
    const { intent, tool, args } = this.#intend(call, judged);
    const refusal = call.facts.isOversized === true ? 'its arguments are too large' : given;
    const refused = refusal ?? this.#parts.refusal(tool, args);
    if (refused !== null) {
      this.#book.decide(call, judged, refused);
      return;
    }
    const ask = (): Promise<Permit | null> =>
      world.permit(
        'tool',
        { iteration: this.iteration, call: intent, tool },
        AbortSignal.any([signal, AbortSignal.timeout(DECISION_TIMEOUT_MS)]),
      );
    let permit = await ask();
    while (permit?.decision === 'wait' && !signal.aborted) {
      const approval = approvalOf(permit);
      await this.#parts.held(() => world.decided(approval, signal));
      if (!signal.aborted) permit = await ask();
    }
    if (signal.aborted) throw new Cancelled();
    // Whatever is no clear yes is a no.
    const isAllowed = permit !== null && permit.decision === 'allow';
    const why = permit === null ? 'nobody decided in time' : permit.reason;
    this.#book.decide(call, judged, isAllowed ? null : why);
    if (isAllowed) this.#watch(intent, tool);
  }

  #refuseMore(): void {
    const { job, transcript } = this.#parts;
    const { maxToolCalls } = job.limits;
    if (maxToolCalls !== null && transcript.toolCalls >= maxToolCalls)
      throw limitError('tool_calls', maxToolCalls, transcript.toolCalls, 'and the agent asks for more');
    if (this.#number >= MAX_CALLS)
      throw limitError('tool_calls', MAX_CALLS, this.#number, 'which is the most of one attempt');
  }

  /** Journals the intent. */
  #intend(call: AgentCall, judged: JudgedCall): { intent: string; tool: string; args: JsonObject } {
    const { job, world } = this.#parts;
    this.#number += 1;
    const intent = `c${this.iteration}-${this.#number}`;
    const tool = canonicalTool(this.#shown(judged.tool)) || 'other';
    const args = maskJson(judged.args, (text) => world.mask(text)) as JsonObject;
    world.record([
      { type: 'agent.tool_called', path: job.path, iteration: this.iteration, call: intent, tool, args },
    ]);
    call.open.push({ intent, judged: { tool, args } });
    return { intent, tool, args };
  }

  #settle(call: AgentCall, outcome: ToolOutcome, raw: string, bytes?: number): void {
    const { world, job } = this.#parts;
    const result = capText(world.mask(cleanText(raw)));
    const hash = sha256(result);
    call.open.forEach(({ intent, judged }: OpenIntent, index) => {
      world.record([
        {
          type: 'agent.tool_ended',
          path: job.path,
          call: intent,
          outcome,
          result,
          // The parts of a call share its result.
          bytes: index === 0 ? (bytes ?? Buffer.byteLength(raw)) : 0,
          hash,
        },
      ]);
      this.#watches.get(intent)?.();
      this.#watches.delete(intent);
      const key = `${judged.tool} ${canonicalJson(judged.args)}`;
      this.#ended.push({ iteration: this.#ended.length, key, outcome, hash });
    });
    call.open = [];
  }

  #checkStuck(): void {
    const stuck = stuckReason(this.#ended, this.#parts.job.stuck);
    if (stuck !== null) throw new WorkflowError('AGENT_STUCK', `the agent is stuck: ${stuck}`);
  }

  /** A kill switch for the tool ends the agent: nothing less ends what its own process runs. */
  #watch(intent: string, tool: string): void {
    const { world, signal } = this.#parts;
    const over = Promise.withResolvers<void>();
    this.#watches.set(intent, over.resolve);
    const watched = world.during(tool, signal, async (either) => {
      const release = onAbort(either, () => {
        if (!signal.aborted) this.#parts.switchedOff(tool, either.reason);
      });
      await over.promise;
      release();
    });
    // It only waits.
    watched.catch((error: unknown) => this.#parts.switchedOff(tool, error));
  }

  /** Names and titles are words of the agent, too. */
  #shown(text: string): string {
    return this.#parts.world.mask(cleanText(text));
  }

  #toolOf(call: AgentCall): string | null {
    const key = [...call.decided.keys()][0];
    return key === undefined ? null : this.#shown(key.split(' ')[0] ?? '');
  }
}
