/**
 * The driver for `q chat` and `kiro-cli chat`: one command, one answer. Nobody can decide its calls one by one, so it is
 * given only tools that are allowed whatever their arguments are, and stays in the sandbox of the tier agent.
 */
import type { JsonObject } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { agentResult, answerProblem } from '../answer.ts';
import { countUsage, estimateTokens, limitError, outputRoom } from '../budget.ts';
import type { AgentDriver } from '../driver.ts';
import { timeError } from '../loop.ts';
import { type AgentJob, type AgentWorld, Cancelled } from '../run.ts';
import type { CommandEnd } from '../run-command.ts';
import { cleanText } from '../text.ts';
import type { Transcript } from '../transcript.ts';
import { WorkClock } from '../work-clock.ts';
import { agentFiles, chatWords, type HeadlessProfile } from './profiles.ts';
import { grantTrust } from './trust.ts';

/** What the driver needs of the step around it. */
export interface HeadlessHost {
  readonly profile: HeadlessProfile;
  /** Tools of ours that policies, guardrails and agent file allow whatever their arguments are. */
  readonly trusted: readonly string[];
  /** Runs the program in the sandbox of the step, with these files in its private home. */
  run(
    words: readonly string[],
    files: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<CommandEnd>;
}

/** MAX_ARG_STRLEN of execve(2), with room for a line around it. */
const MAX_TASK_BYTES = 120 * 1024;

interface Run {
  readonly host: HeadlessHost;
  readonly job: AgentJob;
  readonly transcript: Transcript;
  readonly world: AgentWorld;
  readonly clock: WorkClock;
  readonly signal: AbortSignal;
}

export function headlessDriver(host: HeadlessHost): AgentDriver {
  return {
    run: async (job, transcript, world, signal) => {
      transcript.startAnew();
      const { limits, timeoutMs } = job;
      const leftMs = limits.maxExecutionMs === null ? null : limits.maxExecutionMs - transcript.workedMs;
      const times = [leftMs, timeoutMs].filter((ms) => ms !== null);
      const clock = new WorkClock(times.length === 0 ? null : Math.min(...times));
      const either = AbortSignal.any([signal, clock.expired]);
      try {
        return await chat({ host, job, transcript, world, clock, signal: either });
      } catch (error) {
        if (signal.aborted) return null;
        if (clock.expired.aborted) throw timeError(job, leftMs);
        throw error;
      }
    },
    close: async () => undefined,
  };
}

async function chat(run: Run): Promise<JsonObject> {
  const { host, job, transcript, world, clock, signal } = run;
  const { profile } = host;
  const { limits, rules, path, attempt } = job;
  if (transcript.iterations >= limits.maxIterations)
    throw limitError(
      'iterations',
      limits.maxIterations,
      transcript.iterations,
      'and there is no final answer',
    );
  const task = `Task:\n${job.task}`;
  if (Buffer.byteLength(task) > MAX_TASK_BYTES)
    throw new WorkflowError(
      'PARAMETER_INVALID',
      `the task for ${profile.name} is over 120 KiB: hand large texts over in a file`,
    );
  const iteration = transcript.iterations + 1;
  const sentBytes = Buffer.byteLength(job.system) + Buffer.byteLength(task);
  const estimate = estimateTokens(sentBytes);
  outputRoom(limits, transcript.usage, estimate, { maxOutputTokens: null, price: null });
  world.record([
    {
      type: 'agent.requested',
      path,
      attempt,
      iteration,
      model: { name: `headless:${profile.name}`, id: profile.name },
      estimate: { in: estimate, out: 0 },
    },
  ]);
  const permit = await world.permit('model', { iteration, call: null, tool: null }, signal);
  if (permit === null || signal.aborted) throw new Cancelled();
  if (permit.decision !== 'allow')
    throw new WorkflowError('POLICY_DENIED', `the agent ${profile.name} was refused: ${permit.reason}`);
  const trust = await grantTrust(run, host, iteration);
  const work = (either: AbortSignal): Promise<CommandEnd> =>
    host.run(chatWords(task, trust.names), agentFiles(profile, job.system, trust.names), either);
  const end = await clock.during(() => trust.during(work));
  if (signal.aborted) throw new Cancelled();
  refuseEnd(profile, end, (words) => world.mask(words));
  const text = world.mask(
    cleanText(end.stdout)
      .replace(/^\s*> /, '')
      .trim(),
  );
  world.record([
    {
      type: 'agent.answered',
      path,
      iteration,
      message: { text, calls: [] },
      usage: countUsage({ in: undefined, out: undefined, cached: undefined }, sentBytes, text.length),
      finish: 'stop',
    },
  ]);
  const problem = answerProblem(text, rules);
  if (problem !== null)
    throw new WorkflowError('OUTPUT_INVALID', `the answer of the agent cannot be used: ${problem}`, {
      details: { text: text.slice(0, 2000) },
    });
  return agentResult(text, rules, transcript);
}

function refuseEnd({ name, exits }: HeadlessProfile, end: CommandEnd, mask: (text: string) => string): void {
  if (end.code === 0 && !end.isOutOfMemory) return;
  const words = mask(cleanText(end.stderr || end.stdout))
    .trim()
    .split('\n')
    .slice(-3)
    .join('; ')
    .slice(-300);
  const said = words === '' ? '' : `: ${words}`;
  if (end.isOutOfMemory) throw new WorkflowError('STEP_OOM', `the agent ${name} was killed for memory`);
  if (!end.hasRun)
    throw new WorkflowError('SANDBOX_FAILED', `the agent ${name} could not be started in its sandbox${said}`);
  const how = end.code === null ? `was ended by ${end.signal}` : `ended with exit code ${end.code}`;
  const why = end.code === null ? undefined : exits[end.code];
  const hint = why ?? 'a tool that it is not trusted with may have been the reason';
  throw new WorkflowError('AGENT_FAILED', `the agent ${name} ${how}; ${hint}${said}`);
}
