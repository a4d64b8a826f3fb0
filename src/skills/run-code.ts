import type { KillReport, Scope, Usage } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import type { JsonObject } from '../definition/workflow.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { type Child, drain, feed, startChild } from './child.ts';
import { buildCommand } from './command-spec.ts';
import { commandFailure, wasOutOfMemory } from './failure.ts';
import { Capture, DEFAULT_CAPTURE_BYTES, type OutputSink, Pump, type StreamName } from './output.ts';
import { Redactor } from './redact.ts';
import { commandResult } from './result.ts';
import { revealSecrets, type Secrets } from './secrets.ts';
import type { Skill } from './skill.ts';
import { AT_ONCE, KILL_TIMEOUT_MS, Stop } from './stop.ts';
import { skillTimeoutMs } from './timeout.ts';
import { onAbort, startTimer, within } from './waits.ts';

export interface CodeRequest {
  readonly skill: Skill;
  /** Checked by `validateParameters`; a secret stays `{"$secret": "NAME"}`. */
  readonly values: Readonly<JsonObject>;
  /** Names in `outputs` of the step: a single one takes plain text. */
  readonly outputs: readonly string[];
  /** Opened for this attempt; the caller removes it afterwards. */
  readonly scope: Scope;
  readonly sandbox: StepSandbox;
  readonly workspace: string;
  /** The allow-listed environment to start from. */
  readonly env: Readonly<Record<string, string>>;
  /** The step's own timeout; the smaller of it and the skill's counts, per attempt. */
  readonly timeoutMs: number | null;
  readonly idempotencyKey: string;
  readonly instance: string;
  readonly stepPath: string;
  readonly attempt: number;
  readonly secrets: Secrets;
  /** More values that the output must not show. */
  readonly masked?: () => readonly string[];
  readonly output: OutputSink;
  /** Abort = cancel: everything is killed. */
  readonly signal: AbortSignal;
  /** Limits of the scope, for messages. */
  readonly memoryLimitBytes?: number | null;
  readonly processLimit?: number | null;
  readonly maxCaptureBytes?: number;
  /** Between SIGTERM and the kill on timeout and cancel. */
  readonly killGraceMs?: number;
}

export type CodeResult =
  | {
      readonly kind: 'completed';
      readonly result: JsonObject;
      readonly warnings: readonly string[];
      /** Null where no process ran. */
      readonly usage: Usage | null;
    }
  | { readonly kind: 'cancelled'; readonly survivors: readonly number[] };

export const KILL_GRACE_MS = 2000;
/** For daemons that a command left behind: it had its time. */
const LEFT_BEHIND_GRACE_MS = 100;
/** bwrap's own init ends within this time after the command when nothing else is left. */
const INIT_WAIT_MS = 20;

/**
 * Runs one attempt of a code_inline skill and resolves when its command has ended and nothing is left in its scope.
 * Rejects with a WorkflowError: STEP_TIMEOUT, STEP_OOM, EXIT_NONZERO, SIGNALLED, SPAWN_FAILED, PROCESS_LIMIT,
 * PARAMETER_INVALID, SECRET_MISSING; a failing sink rejects with its own error as INTERNAL. Memory is bounded by
 * `maxCaptureBytes` a stream, whatever is printed.
 */
export async function runCode(request: CodeRequest): Promise<CodeResult> {
  if (request.signal.aborted) return { kind: 'cancelled', survivors: [] };
  const { skill, scope } = request;
  const startedAt = performance.now();
  const spec = buildCommand({ ...request, identity: identityOf(request) });
  const before = scope.usage();
  const child = await startChild(skill.name, spec, scope, request.sandbox);
  const stop = new Stop(scope, request.killGraceMs ?? KILL_GRACE_MS, child.exited);
  const captures = capture(request, child, stop);
  const timeoutMs = skillTimeoutMs(skill, request.timeoutMs);
  const release = [
    startTimer(timeoutMs, () => stop.now({ kind: 'timeout' })),
    onAbort(request.signal, () => stop.now({ kind: 'cancel', isAtOnce: request.signal.reason === AT_ONCE })),
    scope.onBreach((breach) => stop.now({ kind: 'breach', breach })),
  ];
  try {
    feed(child.stdin, JSON.stringify(revealSecrets({ ...request.values }, request.secrets)), stop.onError);
    const exit = await Promise.race([child.exited, stop.gaveUp]);
    for (const free of release) free();
    const left = await killLeftBehind(scope, stop, child);
    await drain(child, captures.pumps);
    const after = scope.usage();
    const isOutOfMemory = wasOutOfMemory(before, after);
    if (stop.cause !== null && !(isOutOfMemory && stop.cause.kind === 'breach'))
      return stopped(request, stop, left, captures.stderr.tail(), timeoutMs);
    // What lost a process did not do what it says it did: v2 and polling would have ended all of it.
    if (exit.code === 0 && !isOutOfMemory) {
      // Of what is left in a sandbox one process is its init.
      const leftBehind = Math.max(0, (left?.foundCount ?? 0) - (child.starter !== 'shell' ? 1 : 0));
      return completed(request, captures, leftBehind, startedAt, after);
    }
    throw commandFailure({
      skill: skill.name,
      command: spec.file,
      starter: child.starter,
      exit,
      stderrHead: captures.stderr.head().text,
      stderrTail: captures.stderr.tail(),
      before,
      after,
      memoryLimitBytes: request.memoryLimitBytes ?? null,
      processLimit: request.processLimit ?? null,
    });
  } finally {
    for (const free of release) free();
  }
}

/** What every step process may know of itself. */
function identityOf(request: CodeRequest): Record<string, string> {
  return {
    Q_WORKFLOW_IDEMPOTENCY_KEY: request.idempotencyKey,
    Q_WORKFLOW_INSTANCE: request.instance,
    Q_WORKFLOW_STEP: request.stepPath,
    Q_WORKFLOW_ATTEMPT: String(request.attempt),
  };
}

interface Captures {
  readonly stdout: Capture;
  readonly stderr: Capture;
  readonly pumps: readonly Pump[];
}

function capture(request: CodeRequest, child: Child, stop: Stop): Captures {
  const maxBytes = request.maxCaptureBytes ?? DEFAULT_CAPTURE_BYTES;
  const stdout = new Capture(maxBytes);
  const stderr = new Capture(maxBytes);
  const pump = (name: StreamName, target: Capture) =>
    new Pump(child[name], {
      name,
      redactor: new Redactor(Object.values(request.secrets), undefined, request.masked),
      take: (chunk) => target.push(chunk),
      sink: () => request.output,
      onError: stop.onError,
    });
  return { stdout, stderr, pumps: [pump('stdout', stdout), pump('stderr', stderr)] };
}

/** Ends whatever is still in the scope; a scope that is empty costs one look. */
async function killLeftBehind(scope: Scope, stop: Stop, child: Child): Promise<KillReport | null> {
  if (stop.killing === null && child.starter !== 'shell') await within(child.closed, INIT_WAIT_MS);
  if (stop.killing !== null) return await stop.killing;
  if (scope.pids().length === 0) return null;
  return await scope.kill({ graceMs: LEFT_BEHIND_GRACE_MS, timeoutMs: KILL_TIMEOUT_MS });
}

function completed(
  request: CodeRequest,
  captures: Captures,
  leftBehind: number,
  startedAt: number,
  after: Usage,
): CodeResult {
  const result = commandResult({
    stdout: captures.stdout.head(),
    stderr: captures.stderr.head(),
    exitCode: 0,
    durationMs: Math.round(performance.now() - startedAt),
    leftBehind,
    outputs: request.outputs,
  });
  const warnings: string[] = [];
  if (leftBehind > 0) warnings.push(`${leftBehind} process(es) were left behind by the command and killed`);
  return { kind: 'completed', result, warnings, usage: after };
}

/** The outcome of an attempt that we ended. */
function stopped(
  request: CodeRequest,
  stop: Stop,
  report: KillReport | null,
  stderr: string,
  timeoutMs: number | null,
): CodeResult {
  const survivors = report?.survivors ?? [];
  const { cause } = stop;
  const name = `skill "${request.skill.name}"`;
  const details = { stderr, killed: report?.killedCount ?? 0, survivors };
  if (cause === null || cause.kind === 'cancel') return { kind: 'cancelled', survivors };
  if (cause.kind === 'timeout') {
    const whose = timeoutMs === request.timeoutMs ? 'step' : 'skill';
    const message = `${name}: ran longer than the timeout of the ${whose} (${(timeoutMs ?? 0) / 1000} s) and was killed`;
    throw new WorkflowError('STEP_TIMEOUT', message, { details: { ...details, timeout_ms: timeoutMs } });
  }
  if (cause.kind === 'breach') {
    const { limit, allowed, seen } = cause.breach;
    const code = limit === 'memory' ? 'STEP_OOM' : 'PROCESS_LIMIT';
    const message = `${name}: was seen over its ${limit} limit (${seen} of ${allowed}) and was killed`;
    throw new WorkflowError(code, message, {
      details: { ...details, limit_bytes: allowed, peak_bytes: seen },
    });
  }
  if (cause.error instanceof WorkflowError) throw cause.error;
  throw new WorkflowError('INTERNAL', `${name}: ${cause.error.message}`, { details, cause: cause.error });
}
