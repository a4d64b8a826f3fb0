/** The driver for agents of other makers that speak the Agent Client Protocol: each call of theirs is decided, or ends them. */
import type { JsonObject } from '../../definition/workflow.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';
import type { ChildExit } from '../../skills/child.ts';
import { AT_ONCE } from '../../skills/stop.ts';
import { onAbort, within } from '../../skills/waits.ts';
import type { AgentDriver } from '../driver.ts';
import type { LineHandlers, LineProcess } from '../line-process.ts';
import { agentResult, answerProblem } from '../native/answer.ts';
import { repairText } from '../native/conversation.ts';
import { askLeave, onTheClock, type Prompting, recordAnswer, refuseMore } from '../native/prompts.ts';
import { Cancelled } from '../run.ts';
import { cleanText } from '../text.ts';
import type { WorkClock } from '../work-clock.ts';
import { CallBook } from './call-book.ts';
import { CallJudge } from './call-judge.ts';
import { failure } from './peer.ts';
import type { AcpProfile } from './profiles.ts';
import { AcpSession, type PromptEnd } from './session.ts';

/** What the driver needs of the step around it. */
export interface AcpHost {
  readonly profile: AcpProfile;
  readonly workspace: string;
  /** Why agent file and guardrails refuse a call; null when they do not. */
  refusal(tool: string, args: JsonObject): string | null;
  /** Starts the agent in the sandbox of the step. Throws SPAWN_FAILED and the like. */
  launch(handlers: LineHandlers): Promise<LineProcess>;
}

interface Run extends Prompting {
  readonly clock: WorkClock;
  readonly session: AcpSession;
  readonly judge: CallJudge;
}

const MAX_REPAIRS = 1;
/** How long an agent may take to end its turn, and then itself, when it is told to. */
const CANCEL_GRACE_MS = 1000;
const END_GRACE_MS = 2000;
/** An agent that does not read what it is sent. */
const MAX_BACKLOG_BYTES = 16 * 1024 * 1024;

export function acpDriver(host: AcpHost): AgentDriver {
  let agent: Agent | null = null;
  return {
    run: (job, transcript, world, signal) =>
      onTheClock({ job, transcript, world, signal }, async (clock, either) => {
        agent = new Agent(host, { job, transcript, world, signal: either });
        try {
          const result = await agent.converse(clock);
          await agent.end('over');
          return result;
        } catch (error) {
          await agent.end(mayEndWell(error, signal) ? 'cancelled' : 'at once');
          throw error;
        }
      }),
    close: async () => agent?.end('over'),
  };
}

/** One process of an agent and what is said with it. */
class Agent {
  readonly #run: Omit<Run, 'clock'>;
  readonly #host: AcpHost;
  #process: LineProcess | null = null;
  #prompt: Promise<unknown> = Promise.resolve();
  #ending: Promise<void> | null = null;
  #isSwitchedOffAtOnce = false;
  #clock: WorkClock | null = null;
  #holds = 0;

  constructor(host: AcpHost, around: Prompting) {
    const { profile, workspace } = host;
    const book = new CallBook({ workspace, marksBeforeAsking: profile.marksBeforeAsking });
    const judge = new CallJudge(
      {
        ...around,
        refusal: (tool, args) => host.refusal(tool, args),
        held: (wait) => this.#hold(wait),
        switchedOff: (tool, reason) => {
          this.#isSwitchedOffAtOnce ||= reason === AT_ONCE;
          this.#run.session.peer.fail(
            new WorkflowError(
              'KILL_SWITCH',
              `a kill switch for ${tool} is tripped, and the agent was using it`,
            ),
          );
        },
      },
      book,
    );
    const session = new AcpSession({
      profile,
      workspace,
      book,
      judge,
      signal: around.signal,
      mask: (text) => around.world.mask(cleanText(text)),
      send: (line) => this.#send(line),
      hold: (isHeld) => (isHeld ? this.#process?.pause() : this.#process?.resume()),
    });
    this.#host = host;
    this.#run = { ...around, session, judge };
  }

  async converse(clock: WorkClock): Promise<JsonObject> {
    const run: Run = { ...this.#run, clock };
    this.#clock = clock;
    const { job, transcript } = run;
    refuseMore(run);
    await this.#open(run);
    let text = `${job.system}\n\n${job.task}`;
    for (let repairs = 0; ; repairs += 1) {
      const answer = await this.#ask(run, text);
      const problem = answerProblem(answer, job.rules);
      if (problem === null) return agentResult(answer, job.rules, transcript);
      if (repairs >= MAX_REPAIRS || transcript.iterations >= job.limits.maxIterations)
        throw new WorkflowError('OUTPUT_INVALID', `the answer of the agent cannot be used: ${problem}`, {
          details: { text: answer.slice(0, 2000) },
        });
      text = repairText(answer, job.rules);
    }
  }

  /** Ends it with all that it started; several calls join the first. */
  end(how: 'over' | 'cancelled' | 'at once'): Promise<void> {
    this.#ending ??= this.#end(how);
    return this.#ending;
  }

  /** Nothing of the agent runs while a person is waited for, whatever else it had begun. */
  async #hold(wait: () => Promise<void>): Promise<void> {
    this.#holds += 1;
    try {
      if (this.#holds === 1) await this.#process?.freeze();
      await (this.#clock === null ? wait() : this.#clock.except(wait));
    } finally {
      this.#holds -= 1;
      // One that is being ended is thawed by that.
      if (this.#holds === 0 && this.#ending === null) await this.#process?.thaw();
    }
  }

  async #open({ clock, session, signal }: Run): Promise<void> {
    const name = this.#host.profile.name;
    await clock.during(async () => {
      this.#process = await this.#host.launch({
        line: (line) => session.receive(line),
        failed: (error) => session.peer.fail(failure(`${name} cannot be heard: ${error.message}`)),
        tooLong: (maxBytes) =>
          session.peer.fail(failure(`${name} sent a line of more than ${maxBytes} bytes`)),
        ended: (exit) => session.peer.fail(this.#endError(exit)),
      });
      await orAborted(session.open(), signal);
    });
  }

  /** The answer to one prompt. */
  async #ask(run: Run, text: string): Promise<string> {
    const { clock, signal, session, judge } = run;
    const { name } = this.#host.profile;
    const bytes = Buffer.byteLength(text);
    const iteration = await askLeave(run, { name: 'acp', profile: name }, bytes);
    judge.iteration = iteration;
    const end = await clock.during(() => orAborted(this.#turn(session, text), signal));
    judge.interrupt('the agent ended its turn without telling what came of this call');
    const answer = recordAnswer(run, iteration, bytes, { ...end, finish: end.stopReason });
    refuseEnd(name, run.world.mask(end.stopReason));
    session.peer.assertSound();
    return answer;
  }

  #turn(session: AcpSession, text: string): Promise<PromptEnd> {
    const turn = session.prompt(text);
    this.#prompt = turn.catch(() => undefined);
    return turn;
  }

  async #end(how: 'over' | 'cancelled' | 'at once'): Promise<void> {
    const { session, judge } = this.#run;
    const graceMs = how === 'at once' || this.#isSwitchedOffAtOnce ? 0 : END_GRACE_MS;
    if (how !== 'over') session.cancel();
    // A turn that failed already is not waited for.
    if (how === 'cancelled' && graceMs > 0) await within(this.#prompt, CANCEL_GRACE_MS);
    await this.#process?.close(graceMs);
    session.peer.fail(new Cancelled());
    judge.interrupt('the agent was ended while this call was open. It may or may not have had its effect.');
  }

  #send(line: string): void {
    const process = this.#process;
    if (process === null || !process.isAlive) return;
    process.write(line);
    if (process.backlogBytes > MAX_BACKLOG_BYTES)
      this.#run.session.peer.fail(failure(`${this.#host.profile.name} does not read what it is sent`));
  }

  #endError(exit: ChildExit | null): WorkflowError {
    const { name } = this.#host.profile;
    const words = this.#process?.lastWords ?? '';
    const said = words === '' ? '' : `: ${words}`;
    if (this.#process?.wasOutOfMemory)
      return new WorkflowError('STEP_OOM', `the agent ${name} was killed for memory`);
    if (exit !== null && !exit.hasRun)
      return new WorkflowError(
        'SANDBOX_FAILED',
        `the agent ${name} could not be started in its sandbox${said}`,
      );
    const how = exit === null ? '' : exit.signal === null ? ` (exit code ${exit.code})` : ` (${exit.signal})`;
    return failure(`the agent ${name} ended before its answer${how}${said}`);
  }
}

/** An agent that did what it may not do gets no time for more. */
function mayEndWell(error: unknown, signal: AbortSignal): boolean {
  const hasViolated = error instanceof WorkflowError && error.code === 'AGENT_VIOLATION';
  return !hasViolated && signal.reason !== AT_ONCE;
}

function refuseEnd(name: string, stopReason: string): void {
  switch (stopReason) {
    case 'end_turn':
      return;
    case 'max_tokens':
      throw failure(`the answer of ${name} was cut off at its longest length`);
    case 'max_turn_requests':
      throw failure(`${name} made as many model requests as it may in one turn, and has no answer`);
    case 'refusal':
      throw failure(`${name} refused to go on`);
    case 'cancelled':
      throw failure(`${name} ended its turn by itself, as some agents do when a call is refused`);
    default:
      throw failure(`${name} ended its turn for a reason that is not known: ${stopReason.slice(0, 100)}`);
  }
}

/** Its value; rejects with Cancelled as soon as the signal aborts. */
async function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const release = onAbort(signal, () => aborted.reject(new Cancelled()));
  try {
    return await Promise.race([promise, aborted.promise]);
  } finally {
    release();
  }
}
