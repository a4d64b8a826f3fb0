/** What the drivers of other makers' programs share: their time, and the prompts that they send with leave only. */
import { sha256 } from '../../audit/canonical.ts';
import type { JsonObject } from '../../definition/workflow.ts';
import type { AgentEvent } from '../../engine/agent-events.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { undecided } from '../../protocol/open-calls.ts';
import { countUsage, estimateTokens, limitError, outputRoom } from '../budget.ts';
import type { DriverChoice } from '../driver-choice.ts';
import type { ReportedUsage } from '../model/model.ts';
import { type AgentJob, type AgentWorld, approvalOf, Cancelled, Suspended } from '../run.ts';
import { cleanText } from '../text.ts';
import { WorkClock } from '../work-clock.ts';
import { timeError } from './loop.ts';
import type { Transcript } from './transcript.ts';

export interface Prompting {
  readonly job: AgentJob;
  readonly transcript: Transcript;
  readonly world: AgentWorld;
  /** Aborts when the attempt is cancelled or its time is over. */
  readonly signal: AbortSignal;
}

const MAX_FINISH = 100;
/** They cannot be told how long an answer may be, and what it costs is not known. */
const NO_MODEL = { maxOutputTokens: null, price: null } as const;

/**
 * Does an attempt from its beginning, on the clock of its limits: what was said before is gone with its process, what
 * was used stays used. Null when it was cancelled. Throws what `work` throws, AGENT_LIMIT and STEP_TIMEOUT.
 */
export async function onTheClock(
  { job, transcript, world, signal }: Prompting,
  work: (clock: WorkClock, signal: AbortSignal) => Promise<JsonObject>,
): Promise<JsonObject | null> {
  const { path } = job;
  const lost = transcript.openCalls.map((call) => ({ path, call }));
  world.record(undecided(lost, 'agent', sha256));
  transcript.beginAgain();
  const { limits, timeoutMs } = job;
  const leftMs = limits.maxExecutionMs === null ? null : limits.maxExecutionMs - transcript.workedMs;
  const times = [leftMs, timeoutMs].filter((ms) => ms !== null);
  const clock = new WorkClock(times.length === 0 ? null : Math.min(...times));
  transcript.countBy(clock);
  try {
    return await work(clock, AbortSignal.any([signal, clock.expired]));
  } catch (error) {
    if (signal.aborted) return null;
    if (clock.expired.aborted) throw timeError(job, leftMs, timeoutMs);
    throw shown(error, world);
  }
}

/** An error may have words of the program in it: they are cleaned and masked as everything else that it says. */
function shown(error: unknown, world: AgentWorld): unknown {
  if (!(error instanceof WorkflowError)) return error;
  const { code, message, details, cause } = error;
  const clean = world.mask(cleanText(message));
  if (clean === message) return error;
  return new WorkflowError(code, clean, { cause, ...(details === undefined ? {} : { details }) });
}

/** Throws AGENT_LIMIT when another prompt would be one too many. */
export function refuseMore({ job: { limits }, transcript }: Pick<Prompting, 'job' | 'transcript'>): void {
  const { sentRequests, outputBytes } = transcript;
  if (sentRequests >= limits.maxIterations)
    throw limitError('iterations', limits.maxIterations, sentRequests, 'and there is no final answer');
  if (limits.maxOutputBytes !== null && outputBytes > limits.maxOutputBytes)
    throw limitError('output_bytes', limits.maxOutputBytes, outputBytes, 'by the results of its tools');
}

/** Has a prompt journaled and decided; answers its number. Throws AGENT_LIMIT, a refusal's code and Cancelled. */
export async function askLeave(
  prompting: Prompting,
  { name, profile }: DriverChoice,
  sentBytes: number,
): Promise<number> {
  const { job, transcript, world, signal } = prompting;
  refuseMore(prompting);
  // One that waited for a person is in the journal already, and counted.
  const held = transcript.heldRequest;
  const iteration = held ?? transcript.iterations + 1;
  const estimate = estimateTokens(sentBytes);
  outputRoom(job.limits, transcript.usage, estimate, NO_MODEL);
  const requested: AgentEvent[] = [
    {
      type: 'agent.requested',
      path: job.path,
      attempt: job.attempt,
      iteration,
      model: { name: `${name}:${profile}`, id: profile },
      estimate: { in: estimate, out: 0 },
    },
  ];
  world.record(held === null ? requested : []);
  const permit = await world.permit('model', { iteration, call: null, tool: null }, signal);
  if (permit === null || signal.aborted) throw new Cancelled();
  if (permit.decision === 'wait') throw new Suspended([approvalOf(permit)]);
  // Whatever is no clear yes is a no.
  if (permit.decision !== 'allow')
    throw new WorkflowError(
      permit.code ?? 'POLICY_DENIED',
      `the agent ${profile} was refused: ${permit.reason}`,
    );
  transcript.letGo();
  return iteration;
}

/** Journals what came of a prompt; answers its text as it may be shown. `length` counts all that was said. */
export function recordAnswer(
  { job, world }: Pick<Prompting, 'job' | 'world'>,
  iteration: number,
  sentBytes: number,
  answer: {
    readonly text: string;
    readonly length: number;
    readonly usage: ReportedUsage;
    readonly finish: string;
  },
): string {
  const text = world.mask(answer.text);
  const finish = world.mask(cleanText(answer.finish)).slice(0, MAX_FINISH);
  world.record([
    {
      type: 'agent.answered',
      path: job.path,
      iteration,
      message: { text, calls: [] },
      usage: countUsage(answer.usage, sentBytes, answer.length),
      finish,
    },
  ]);
  return text;
}
