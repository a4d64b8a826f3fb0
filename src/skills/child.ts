import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { CommandSpec, Scope } from '../../sandbox/isolation.ts';
import { hasProxy, type Launch, prepareLaunch, type StepSandbox } from '../../sandbox/launcher/launch.ts';
import { type CommandExit, commandExit, type ProcessExit } from '../../sandbox/launcher/status.ts';
import { ensureError, systemCode, WorkflowError } from '../errors/workflow-error.ts';
import { handOver, openHanded } from './handed.ts';
import type { Pump } from './output.ts';
import { within } from './waits.ts';

export type ChildExit = CommandExit;

/** A started command with three pipes. Its process group and scope are its own. */
export interface Child {
  readonly pid: number;
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** When the command itself has ended, whoever still holds its pipes. */
  readonly exited: Promise<ChildExit>;
  /** When the pipes are closed as well. */
  readonly closed: Promise<void>;
  readonly starter: Launch['starter'];
}

/** How long a pipe must be silent after the end before what it held counts as read. */
const QUIET_MS = 50;
/** A survivor that keeps writing is not listened to for longer. */
const MAX_DRAIN_MS = 2000;
/** What bwrap has to say is written before it ends. */
const STATUS_WAIT_MS = 500;

/**
 * Starts a command inside its scope and sandbox; execa is left out on purpose (20 ms to import, twice the spawn).
 * Throws SPAWN_FAILED, or PROCESS_LIMIT when the kernel refused the fork.
 */
export async function startChild(
  skill: string,
  spec: CommandSpec,
  scope: Scope,
  sandbox: StepSandbox,
): Promise<Child> {
  // Loaded only for a step that has a way out, and before the spawn: the listener may come at once.
  const network = hasProxy(sandbox) ? await openNetwork(sandbox) : null;
  const { launch, child } = spawnInto(skill, spec, scope, sandbox);
  const { stdin, stdout, stderr, pid } = child;
  if (pid === undefined || stdin === null || stdout === null || stderr === null) {
    const failed = await new Promise<Error>((resolve) => child.once('error', resolve));
    throw spawnError(skill, spec, failed);
  }
  scope.attach(pid);
  const status = handOver(child, launch.handed);
  const exit = Promise.withResolvers<ChildExit>();
  network?.serve(child);
  const close = Promise.withResolvers<void>();
  child.once('exit', (code, signal) => {
    if (launch.starter === 'shell') exit.resolve({ code, signal, hasRun: true });
    else void told({ code, signal }, status, network).then(exit.resolve, exit.reject);
  });
  child.once('close', () => close.resolve());
  // After the start only a failed kill or message raises it; we never kill by it, and its one message has a callback.
  child.on('error', exit.reject);
  return { pid, stdin, stdout, stderr, exited: exit.promise, closed: close.promise, starter: launch.starter };
}

function spawnInto(
  skill: string,
  spec: CommandSpec,
  scope: Scope,
  sandbox: StepSandbox,
): { launch: Launch; child: ChildProcess } {
  let launch: Launch | null = null;
  let close = (): void => undefined;
  try {
    launch = prepareLaunch(spec, sandbox, scope.record.marker);
    const plan = scope.plan(launch.command);
    const opened = openHanded(launch.handed);
    close = () => opened.close();
    const child = spawn(plan.file, [...plan.args], {
      cwd: plan.cwd,
      env: { ...plan.env },
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe', ...opened.stdio],
    });
    return { launch, child };
  } catch (error) {
    throw error instanceof WorkflowError ? error : spawnError(skill, spec, ensureError(error));
  } finally {
    close();
    launch?.release();
  }
}

interface Network {
  serve(child: ChildProcess): void;
  close(): Promise<void>;
}

async function openNetwork({ access }: StepSandbox): Promise<Network | null> {
  if (access === undefined) return null;
  const { createProxy, serveNetwork } = await import('../../sandbox/network/outside.ts');
  const proxy = createProxy(access);
  return { serve: (child) => serveNetwork(child, proxy), close: () => proxy.close() };
}

async function told(exit: ProcessExit, status: Promise<string>, network: Network | null): Promise<ChildExit> {
  // What it still had open ends with it, and is told before its end is.
  await network?.close();
  // Most steps succeed, and then there is nothing to ask.
  if (exit.code === 0) return commandExit(exit, '');
  return commandExit(exit, (await within(status, STATUS_WAIT_MS)) ?? '');
}

/** Writes and closes stdin. A command may end or close its side without reading: that is its own affair. */
export function feed(stdin: Writable, text: string, onError: (error: Error) => void): void {
  guardStdin(stdin, onError);
  stdin.end(text);
}

export function guardStdin(stdin: Writable, onError: (error: Error) => void): void {
  stdin.on('error', (error) => {
    const code = systemCode(error);
    // EPIPE, ECONNRESET: the reader is gone. ERR_STREAM_DESTROYED: we closed it after the command had ended.
    if (code !== 'EPIPE' && code !== 'ECONNRESET' && code !== 'ERR_STREAM_DESTROYED') onError(error);
  });
}

/**
 * Reads what is left in the pipes of a process that has ended, then closes them. Normally they close by themselves;
 * when something that escaped the kill holds them, silence or two seconds end the wait.
 */
export async function drain(child: Child, pumps: readonly Pump[]): Promise<void> {
  const startedAt = performance.now();
  let isClosed = false;
  const closed = child.closed.then(() => {
    isClosed = true;
  });
  await within(closed, QUIET_MS);
  while (!isClosed && pumps.some((pump) => pump.quietMs < QUIET_MS)) {
    const isHeldUp = pumps.some((pump) => pump.quietMs === 0);
    if (!isHeldUp && performance.now() - startedAt > MAX_DRAIN_MS) break;
    await within(closed, QUIET_MS);
  }
  for (const pump of pumps) await pump.finish();
  child.stdin.destroy();
}

function spawnError(skill: string, spec: CommandSpec, error: Error): WorkflowError {
  const code = systemCode(error);
  const options = { cause: error, details: { command: spec.file, system_code: code } };
  if (code === 'EAGAIN' || code === 'ENOMEM') {
    return new WorkflowError(
      'PROCESS_LIMIT',
      `skill "${skill}": no process could be made for ${spec.file}`,
      options,
    );
  }
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: 'was not found',
    EACCES: 'is not executable',
    ENOEXEC: 'is no program this machine can run',
    E2BIG: 'got more arguments and variables than the kernel takes',
  };
  const reason = reasons[code ?? ''] ?? `could not be started: ${error.message}`;
  return new WorkflowError('SPAWN_FAILED', `skill "${skill}": the command ${spec.file} ${reason}`, options);
}
