/** One command of a tool: started in a scope and sandbox, fed, read, and ended whole. */
import type { CommandSpec, Scope } from '../../sandbox/isolation.ts';
import type { StepSandbox } from '../../sandbox/launcher/launch.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import { drain, feed, startChild } from '../skills/child.ts';
import { wasOutOfMemory } from '../skills/failure.ts';
import { Capture, Pump } from '../skills/output.ts';
import type { Redactor } from '../skills/redact.ts';
import { AT_ONCE, KILL_TIMEOUT_MS, Stop } from '../skills/stop.ts';
import { onAbort, startTimer } from '../skills/waits.ts';

export interface CommandRun {
  /** For messages: the tool. */
  readonly name: string;
  readonly spec: CommandSpec;
  readonly stdin: string;
  readonly timeoutMs: number;
  readonly scope: Scope;
  readonly sandbox: StepSandbox;
  /** Hides secrets in a stream. */
  readonly redactor: () => Redactor;
  readonly signal: AbortSignal;
}

export interface CommandEnd {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly signal: string | null;
  readonly isTimedOut: boolean;
  readonly isOutOfMemory: boolean;
  /** False when the launcher failed before the command began; stderr says why. */
  readonly hasRun: boolean;
  /** All of it, or its beginning and its end. */
  readonly stdout: string;
  readonly stderr: string;
  /** Of both streams, read or not. */
  readonly bytes: number;
}

/** Kept of each stream; the model gets far less. */
const MAX_CAPTURE_BYTES = 1024 * 1024;
const KILL_GRACE_MS = 2000;
const LEFT_BEHIND_GRACE_MS = 100;

/**
 * Runs it to its end and resolves when nothing is left in its scope. Throws SPAWN_FAILED or PROCESS_LIMIT when it cannot
 * be started, INTERNAL when it cannot be heard.
 */
export async function runCommand(run: CommandRun): Promise<CommandEnd> {
  const { scope } = run;
  const before = scope.usage();
  const child = await startChild(run.name, run.spec, scope, run.sandbox);
  const stop = new Stop(scope, KILL_GRACE_MS, child.exited);
  const out = { stdout: new Capture(MAX_CAPTURE_BYTES), stderr: new Capture(MAX_CAPTURE_BYTES) };
  const pumps = (['stdout', 'stderr'] as const).map(
    (name) =>
      new Pump(child[name], {
        name,
        // Before anything is left out: a secret that is cut in two would not be known any more.
        redactor: run.redactor(),
        take: (chunk) => out[name].push(chunk),
        sink: () => null,
        onError: stop.onError,
      }),
  );
  const release = [
    startTimer(run.timeoutMs, () => stop.now({ kind: 'timeout' })),
    onAbort(run.signal, () => stop.now({ kind: 'cancel', isAtOnce: run.signal.reason === AT_ONCE })),
    scope.onBreach((breach) => stop.now({ kind: 'breach', breach })),
  ];
  try {
    feed(child.stdin, run.stdin, stop.onError);
    const exit = await Promise.race([child.exited, stop.gaveUp]);
    if (stop.killing !== null) await stop.killing;
    else if (scope.pids().length > 0)
      await scope.kill({ graceMs: LEFT_BEHIND_GRACE_MS, timeoutMs: KILL_TIMEOUT_MS });
    await drain(child, pumps);
    if (stop.cause?.kind === 'error')
      throw new WorkflowError('INTERNAL', `tool ${run.name}: ${stop.cause.error.message}`, {
        cause: stop.cause.error,
      });
    return {
      code: exit.code,
      signal: exit.signal,
      isTimedOut: stop.cause?.kind === 'timeout',
      isOutOfMemory: stop.cause?.kind === 'breach' || wasOutOfMemory(before, scope.usage()),
      hasRun: exit.hasRun,
      stdout: out.stdout.ends(),
      stderr: out.stderr.ends(),
      bytes: out.stdout.totalBytes + out.stderr.totalBytes,
    };
  } finally {
    for (const free of release) free();
  }
}
