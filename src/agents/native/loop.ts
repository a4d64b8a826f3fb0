/**
 * The loop of a native agent: ask the model, run what it calls, until it answers. Every limit stands between two
 * effects, and every effect has its intent in the journal first. The world (journal, decisions, model, tools, time) is
 * passed in.
 */
import type { JsonObject } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { limitError } from '../budget.ts';
import { afterCalls, closingHooks, openingHooks } from '../hooks/run-hooks.ts';
import { askModel } from '../model/request.ts';
import { type AgentJob, type AgentTask, type AgentWorld, Cancelled, type LoopRun } from '../run.ts';
import { WorkClock } from '../work-clock.ts';
import { agentResult, answerProblem } from './answer.ts';
import { runCalls } from './call.ts';
import { stuckReason } from './stuck.ts';
import type { Transcript, TurnState } from './transcript.ts';

const MAX_REPAIRS = 1;

/**
 * Runs an agent to its answer, going on from what the transcript holds; the result of the step, or null when it was
 * cancelled. Throws Suspended, AGENT_LIMIT, AGENT_STUCK, MODEL_FAILED, OUTPUT_INVALID, STEP_TIMEOUT or POLICY_DENIED.
 */
export async function runAgent(
  task: AgentTask,
  transcript: Transcript,
  world: AgentWorld,
  signal: AbortSignal,
): Promise<JsonObject | null> {
  const { limits, timeoutMs } = task;
  const leftMs = limits.maxExecutionMs === null ? null : limits.maxExecutionMs - transcript.workedMs;
  // An attempt that waited for a person, or lost its process, goes on with what it had left.
  const restMs = timeoutMs === null ? null : timeoutMs - transcript.attemptMs;
  const times = [leftMs, restMs].filter((ms) => ms !== null);
  const clock = new WorkClock(times.length === 0 ? null : Math.min(...times));
  transcript.countBy(clock);
  const run = { task, world, transcript, clock, signal: AbortSignal.any([signal, clock.expired]) };
  try {
    return await converse(run);
  } catch (error) {
    if (signal.aborted) return null;
    if (clock.expired.aborted) throw timeError(task, leftMs, restMs);
    throw error;
  }
}

async function converse(run: LoopRun): Promise<JsonObject> {
  const { task, transcript } = run;
  await openingHooks(run);
  for (;;) {
    if (run.signal.aborted) throw new Cancelled();
    const turn = transcript.last;
    // Of an answer that was withheld nothing is used, nor is what it asks for run.
    if (turn?.finish === 'content-filter')
      throw new WorkflowError('MODEL_FAILED', 'the provider of the model refused to answer (content filter)');
    if (turn !== null && turn.calls.length === 0) {
      const result = finish(turn, task, transcript);
      if (result !== null) {
        await closingHooks(run, turn);
        return result;
      }
    }
    // Before anything may end the step: what was run is told to them.
    if (turn?.calls.every(({ outcome }) => outcome !== null)) await afterCalls(run, turn);
    refuseMore(task, transcript);
    if (turn?.calls.some(({ outcome }) => outcome === null)) await runCalls(run, turn);
    else await askModel(run);
  }
}

/** The result when this is a final answer; null when it has to be mended once more. */
function finish(turn: TurnState, task: AgentTask, transcript: Transcript): JsonObject | null {
  if (turn.finish === 'length')
    throw new WorkflowError('MODEL_FAILED', 'the answer of the model was cut off at its longest length');
  const problem = answerProblem(turn.text, task.rules);
  if (problem === null) return agentResult(turn.text, task.rules, transcript);
  const repairs = transcript.turns.filter(({ calls }) => calls.length === 0).length - 1;
  // Without another request there is nothing to mend it with.
  if (repairs < MAX_REPAIRS && transcript.iterations < task.limits.maxIterations) return null;
  throw new WorkflowError('OUTPUT_INVALID', `the answer of the agent cannot be used: ${problem}`, {
    details: { text: turn.text.slice(0, 2000) },
  });
}

/** Neither another request nor what the last one asks for happens once a limit is reached. */
function refuseMore(
  { limits, stuck: stuckLimits }: AgentTask,
  { sentRequests, last, toolCalls, ended, outputBytes }: Transcript,
): void {
  const stuck = stuckReason(ended, stuckLimits);
  if (stuck !== null) throw new WorkflowError('AGENT_STUCK', `the agent is stuck: ${stuck}`);
  const wanted = last?.calls.filter(({ tool, outcome }) => tool === null && outcome === null).length ?? 0;
  if (sentRequests >= limits.maxIterations) {
    const why =
      wanted === 0 ? 'and there is no final answer' : `its last answer's ${wanted} tool calls were not run`;
    throw limitError('iterations', limits.maxIterations, sentRequests, why);
  }
  if (limits.maxOutputBytes !== null && outputBytes > limits.maxOutputBytes)
    throw limitError('output_bytes', limits.maxOutputBytes, outputBytes, 'by the results of its tools');
  if (limits.maxToolCalls !== null && toolCalls + wanted > limits.maxToolCalls)
    throw limitError('tool_calls', limits.maxToolCalls, toolCalls, `${wanted} more are asked for`);
}

/** Why the time of an agent was over: `leftMs` was left of its own when it began, `restMs` of its timeout. */
export function timeError(
  { limits, timeoutMs, path }: AgentJob,
  leftMs: number | null,
  restMs: number | null,
): WorkflowError {
  if (leftMs !== null && (restMs === null || leftMs <= restMs)) {
    const seconds = (limits.maxExecutionMs ?? 0) / 1000;
    return limitError('execution_time', seconds, seconds, 'and there is no final answer');
  }
  return new WorkflowError(
    'STEP_TIMEOUT',
    `step "${path}" ran longer than the timeout of the step (${(timeoutMs ?? 0) / 1000} s) and was ended`,
    { details: { timeout_ms: timeoutMs } },
  );
}
