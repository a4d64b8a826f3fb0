/** One model request: its intent, its tries, its answer. */
import type { Json } from '../../definition/workflow.ts';
import type { AgentEvent, TokenCount } from '../../engine/agent-events.ts';
import { ensureError, WorkflowError } from '../../errors/workflow-error.ts';
import { countUsage, estimateTokens, outputRoom } from '../budget.ts';
import { messagesOf } from '../native/conversation.ts';
import { type Answer, collectAnswer } from '../native/turn.ts';
import { approvalOf, Cancelled, type LoopRun, Suspended } from '../run.ts';
import { maskJson } from '../text.ts';
import { ModelFault, type ModelRequest } from './model.ts';

/** Tries of one request beyond the first; they are no iterations. */
export const MAX_MODEL_RETRIES = 4;
const FIRST_DELAY_MS = 500;
const LONGEST_DELAY_MS = 60_000;
const NO_USAGE: TokenCount = { in: 0, out: 0, cached: 0, estimated: false };

/** Sends the conversation and journals the answer. Throws MODEL_FAILED, AGENT_LIMIT, a refusal's code, Suspended or Cancelled. */
export async function askModel(run: LoopRun): Promise<void> {
  const { task, world, transcript } = run;
  const { path, attempt, spec, limits } = task;
  // One that waited for a person is in the journal already, and counted.
  const iteration = transcript.heldRequest ?? transcript.iterations + 1;
  const messages = messagesOf(task.task, transcript, task.rules);
  const tools = task.tools.specs;
  const bytes = Buffer.byteLength(JSON.stringify([task.system, messages, tools]));
  const estimate = estimateTokens(bytes);
  const room = outputRoom(limits, transcript.usage, estimate, spec);
  const { price } = spec;
  const requested: AgentEvent[] = [
    {
      type: 'agent.requested',
      path,
      attempt,
      iteration,
      model: { name: spec.name, id: spec.id },
      estimate: { in: estimate, out: room ?? 0 },
      ...(limits.maxCostUsd === null || price === null
        ? {}
        : {
            price: { input_per_million: price.inputPerMillion, output_per_million: price.outputPerMillion },
          }),
    },
  ];
  world.record(transcript.heldRequest === null ? requested : []);
  for (let retry = 0; ; retry += 1) {
    const maxOutputTokens = retry === 0 ? room : outputRoom(limits, transcript.usage, estimate, spec);
    await awaitPermit(run, iteration);
    const answer = await tryOnce(
      run,
      { system: task.system, messages, tools, maxOutputTokens },
      { iteration, retry, estimate },
    );
    if (answer === null) continue;
    world.record([
      {
        type: 'agent.answered',
        path,
        iteration,
        message: masked(answer, (text) => world.mask(text)),
        usage: countUsage(answer.usage, bytes, answer.length),
        finish: answer.finish,
      },
    ]);
    return;
  }
}

async function awaitPermit({ world, transcript, signal }: LoopRun, iteration: number): Promise<void> {
  const permit = await world.permit('model', { iteration, call: null, tool: null }, signal);
  if (permit === null || signal.aborted) throw new Cancelled();
  if (permit.decision === 'wait') throw new Suspended([approvalOf(permit)]);
  if (permit.decision === 'deny')
    throw new WorkflowError(permit.code ?? 'POLICY_DENIED', `a model request was refused: ${permit.reason}`);
  transcript.letGo();
}

/** The answer, or null when it failed and may be tried again: then the wait is over. */
async function tryOnce(
  run: LoopRun,
  request: ModelRequest,
  at: { readonly iteration: number; readonly retry: number; readonly estimate: number },
): Promise<Answer | null> {
  const { task, world, clock, signal } = run;
  try {
    return await clock.during(() => collectAnswer(task.model.stream(request, signal), at.iteration));
  } catch (error) {
    if (signal.aborted) throw new Cancelled();
    const fault = asFault(error);
    const isLast = !fault.isRetryable || at.retry >= MAX_MODEL_RETRIES;
    const retryInMs = isLast ? null : delayMs(fault, at.retry, world.random());
    const reason = world.mask(fault.message);
    world.record([
      {
        type: 'agent.request_failed',
        path: task.path,
        iteration: at.iteration,
        retry: at.retry,
        reason,
        status: fault.status,
        // An answer that broke off was worked for; how much of it is not known.
        usage: fault.hasBegun ? { in: at.estimate, out: 0, cached: 0, estimated: true } : NO_USAGE,
        retryInMs,
      },
    ]);
    if (retryInMs === null)
      throw new WorkflowError(
        'MODEL_FAILED',
        `the model ${task.spec.name} (${task.spec.id}) failed: ${reason}`,
        {
          details: { status: fault.status, tries: at.retry + 1 },
          cause: error,
        },
      );
    await clock.during(() => world.wait(retryInMs, signal));
    if (signal.aborted) throw new Cancelled();
    return null;
  }
}

/** What a package throws in the midst of a stream is a stream that broke. */
function asFault(error: unknown): ModelFault {
  if (error instanceof ModelFault) return error;
  return new ModelFault(ensureError(error).message, { isRetryable: true, hasBegun: true, cause: error });
}

/** What the provider asks for counts, within a bound; else it doubles, with full jitter. */
function delayMs(fault: ModelFault, retry: number, chance: number): number {
  if (fault.retryAfterMs !== null) return Math.min(LONGEST_DELAY_MS, fault.retryAfterMs);
  return Math.round(Math.min(LONGEST_DELAY_MS, FIRST_DELAY_MS * 2 ** retry) * chance);
}

/** What is journaled is what is decided, run and sent again: so secrets are hidden here, once. */
function masked({ text, calls }: Answer, mask: (text: string) => string): Json {
  return maskJson({ text, calls: calls.map((call) => ({ ...call })) }, mask);
}
