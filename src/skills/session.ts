import type { Scope, Usage } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { type Child, type ChildExit, drain, guardStdin, startChild } from './child.ts';
import { buildCommand } from './command-spec.ts';
import { commandFailure, wasOutOfMemory } from './failure.ts';
import { LineReader } from './lines.ts';
import { Capture, type OutputSink, Pump } from './output.ts';
import { Redactor } from './redact.ts';
import { revealSecrets, type Secrets } from './secrets.ts';
import type { Skill } from './skill.ts';
import { KILL_TIMEOUT_MS } from './stop.ts';
import { within } from './waits.ts';

export interface SessionPlace {
  readonly workspace: string;
  readonly env: Readonly<Record<string, string>>;
  readonly instance: string;
  /** From closing stdin to SIGTERM, and from SIGTERM to the kill. */
  readonly graceMs: number;
  /** Of the instance around it, for messages. */
  readonly memoryLimitBytes?: number | null;
}

/** One call: what to send and where the output goes while it is open. */
export interface SessionCall {
  readonly values: Readonly<JsonObject>;
  readonly secrets: Secrets;
  /** More values that the output must not show. */
  readonly masked?: () => readonly string[];
  readonly output: OutputSink;
}

/** A reply longer than this is not a reply. */
const MAX_LINE_BYTES = 1024 * 1024;

/**
 * One process of a code_session skill, in its own scope. One call at a time: a JSON line in, a line out. What it
 * prints while no call is open goes to the log of the last call and is no reply. Whoever opens it closes it.
 */
export class Session {
  /** False once it has ended, was killed or broke the protocol: it takes no more calls. */
  isUsable = true;
  readonly #skill: Skill;
  readonly #scope: Scope;
  readonly #child: Child;
  readonly #place: SessionPlace;
  readonly #before: Usage;
  readonly #stderr = new Capture(0);
  /** Of the last call: what it prints later on its own is masked as well. */
  #masked: () => readonly string[] = () => [];
  readonly #redactors = { stdout: this.#redactor(), stderr: this.#redactor() };
  readonly #pumps: readonly Pump[];
  #open: PromiseWithResolvers<string> | null = null;
  #sink: OutputSink | null = null;
  #closing: Promise<void> | null = null;

  private constructor(skill: Skill, scope: Scope, child: Child, place: SessionPlace, before: Usage) {
    this.#skill = skill;
    this.#scope = scope;
    this.#child = child;
    this.#place = place;
    this.#before = before;
    const fail = (error: Error) => this.#fail(this.#error('SESSION_CLOSED', error.message, { cause: error }));
    const tooLong = () => this.#fail(this.#error('OUTPUT_INVALID', 'a reply was longer than 1 MiB'));
    this.#lines = new LineReader(MAX_LINE_BYTES, (line) => this.#take(line), tooLong);
    const sink = () => this.#sink;
    const { stdout, stderr } = this.#redactors;
    const takeOut = (chunk: Buffer) => this.#lines.push(chunk);
    const takeErr = (chunk: Buffer) => this.#stderr.push(chunk);
    this.#pumps = [
      new Pump(child.stdout, { name: 'stdout', redactor: stdout, take: takeOut, sink, onError: fail }),
      new Pump(child.stderr, { name: 'stderr', redactor: stderr, take: takeErr, sink, onError: fail }),
    ];
    guardStdin(child.stdin, fail);
    child.exited.then((exit) => this.#ended(exit), fail);
  }

  readonly #lines: LineReader;

  static async start(
    skill: Skill,
    scope: Scope,
    sandbox: StepSandbox,
    place: SessionPlace,
  ): Promise<Session> {
    const identity = { Q_WORKFLOW_INSTANCE: place.instance };
    const spec = buildCommand({ skill, values: {}, secrets: {}, identity, ...place });
    const before = scope.usage();
    return new Session(skill, scope, await startChild(skill.name, spec, scope, sandbox), place, before);
  }

  /** The line that the session answers. Rejects with SESSION_CLOSED, STEP_OOM, OUTPUT_INVALID or SECRET_MISSING. */
  async call(call: SessionCall): Promise<string> {
    const line = JSON.stringify(revealSecrets({ ...call.values }, call.secrets));
    const secrets = Object.values(call.secrets);
    this.#masked = call.masked ?? this.#masked;
    this.#redactors.stdout.add(secrets);
    this.#redactors.stderr.add(secrets);
    // What it printed on its own is read and put aside before the call is open.
    await new Promise((resolve) => setImmediate(resolve));
    if (!this.isUsable) throw this.#error('SESSION_CLOSED', 'the session has ended');
    this.#lines.reset();
    this.#sink = call.output;
    const open = Promise.withResolvers<string>();
    this.#open = open;
    this.#child.stdin.write(`${line}\n`);
    return await open.promise;
  }

  #redactor(): Redactor {
    return new Redactor([], undefined, () => this.#masked());
  }

  /** Ends it at once, with everything in its scope, and removes the scope. */
  kill(): Promise<void> {
    this.#closing ??= this.#end(false);
    return this.#closing;
  }

  /** Closes stdin and gives it time to end by itself before it is killed; removes the scope. */
  close(): Promise<void> {
    this.#closing ??= this.#end(true);
    return this.#closing;
  }

  async #end(isGentle: boolean): Promise<void> {
    this.#fail(this.#error('SESSION_CLOSED', 'the session was closed'));
    const { graceMs } = this.#place;
    if (isGentle) {
      this.#child.stdin.end();
      await within(this.#child.exited, graceMs);
    }
    await this.#scope.kill({ graceMs: isGentle ? graceMs : 0, timeoutMs: KILL_TIMEOUT_MS });
    await within(this.#child.exited, graceMs);
    await drain(this.#child, this.#pumps);
    await this.#scope.remove();
  }

  #take(line: string): void {
    this.#open?.resolve(line);
    this.#open = null;
  }

  #fail(error: WorkflowError): void {
    this.isUsable = false;
    this.#open?.reject(error);
    this.#open = null;
  }

  /** What it printed last is read before the open call is told, so that a reply just before the end still counts. */
  async #ended(exit: ChildExit): Promise<void> {
    this.isUsable = false;
    if (this.#open !== null) await drain(this.#child, this.#pumps);
    const after = this.#scope.usage();
    const how = exit.signal === null ? `with exit code ${exit.code}` : `by ${exit.signal}`;
    const stderrTail = this.#stderr.tail();
    if (!wasOutOfMemory(this.#before, after) && exit.hasRun) {
      const details = { exit_code: exit.code, signal: exit.signal, stderr: stderrTail };
      this.#fail(this.#error('SESSION_CLOSED', `the session ended ${how} before it answered`, { details }));
      return;
    }
    this.#fail(
      commandFailure({
        skill: this.#skill.name,
        command: this.#skill.command ?? '',
        starter: this.#child.starter,
        exit,
        stderrHead: stderrTail,
        stderrTail,
        before: this.#before,
        after,
        memoryLimitBytes: this.#skill.limits.maxMemoryBytes ?? this.#place.memoryLimitBytes ?? null,
        processLimit: null,
      }),
    );
  }

  #error(code: 'SESSION_CLOSED' | 'OUTPUT_INVALID', message: string, options = {}): WorkflowError {
    return new WorkflowError(code, `skill "${this.#skill.name}": ${message}`, options);
  }
}
