/**
 * The driver for `q chat` and `kiro-cli chat`: one command, one answer. Nobody can decide its calls one by one, so it is
 * given only tools that are allowed whatever their arguments are, and stays in the sandbox of the tier agent.
 */
import type { JsonObject } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { AgentDriver } from '../driver.ts';
import { agentResult, answerProblem } from '../native/answer.ts';
import { askLeave, onTheClock, type Prompting, recordAnswer } from '../native/prompts.ts';
import { Cancelled } from '../run.ts';
import type { CommandEnd } from '../run-command.ts';
import { cleanText } from '../text.ts';
import type { WorkClock } from '../work-clock.ts';
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
/** It tells none. */
const NO_USAGE = { in: undefined, out: undefined, cached: undefined };

export function headlessDriver(host: HeadlessHost): AgentDriver {
  return {
    run: (job, transcript, world, signal) =>
      onTheClock({ job, transcript, world, signal }, (clock, either) =>
        chat(host, { job, transcript, world, signal: either }, clock),
      ),
    // The program ends with its answer.
    close: async () => undefined,
  };
}

async function chat(host: HeadlessHost, prompting: Prompting, clock: WorkClock): Promise<JsonObject> {
  const { job, transcript, world, signal } = prompting;
  const { profile } = host;
  const task = `Task:\n${job.task}`;
  if (Buffer.byteLength(task) > MAX_TASK_BYTES)
    throw new WorkflowError(
      'PARAMETER_INVALID',
      `the task for ${profile.name} is over 120 KiB: hand large texts over in a file`,
    );
  const bytes = Buffer.byteLength(job.system) + Buffer.byteLength(task);
  const iteration = await askLeave(prompting, { name: 'headless', profile: profile.name }, bytes);
  const trust = await grantTrust(prompting, host, iteration);
  const work = (either: AbortSignal): Promise<CommandEnd> =>
    host.run(chatWords(task, trust.names), agentFiles(profile, job.system, trust.names), either);
  const end = await clock.during(() => trust.during(work));
  if (signal.aborted) throw new Cancelled();
  refuseEnd(profile, end, (words) => world.mask(words));
  const said = cleanText(end.stdout)
    .replace(/^\s*> /, '')
    .trim();
  const answer = { text: said, length: said.length, usage: NO_USAGE, finish: 'stop' };
  const text = recordAnswer(prompting, iteration, bytes, answer);
  const problem = answerProblem(text, job.rules);
  if (problem !== null)
    throw new WorkflowError('OUTPUT_INVALID', `the answer of the agent cannot be used: ${problem}`, {
      details: { text: text.slice(0, 2000) },
    });
  return agentResult(text, job.rules, transcript);
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
