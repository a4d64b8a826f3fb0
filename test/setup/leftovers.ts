/** What a run must not leave behind: processes that carry its scope, folders of its cgroups. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../src/definition/workflow.ts';
import type { StatusDocument } from '../../src/protocol/control.ts';
import { type Bench, eventually } from './bench-home.ts';

export interface Ran {
  readonly code: number | null;
  readonly run: StatusDocument;
  readonly stderr: string;
}

/** Runs a workflow in the foreground to its end, and checks that nothing of it is left. */
export async function runToEnd(bench: Bench, workflow: string, ...args: readonly string[]): Promise<Ran> {
  const { status, stdout, stderr } = await bench.q('run', workflow, ...args, '--json');
  let run: StatusDocument;
  try {
    run = JSON.parse(stdout) as StatusDocument;
  } catch (error) {
    throw new Error(`run ${workflow} printed no JSON: ${stdout} ${stderr}`, { cause: error });
  }
  assertNothingLeft(run.id);
  return { code: status, run, stderr };
}

/** Starts a workflow and answers its id at once. */
export async function startRun(bench: Bench, workflow: string, ...args: readonly string[]): Promise<string> {
  const started = (await bench.json('run', workflow, '--detach', ...args)) as { id: string };
  return started.id;
}

/** Waits for the end of a run that was started detached, and checks that nothing of it is left. */
export async function endOf(bench: Bench, id: string, timeoutMs = 20_000): Promise<StatusDocument> {
  const run = await eventually(
    `the end of ${id}`,
    async () => {
      const now = await bench.status(id);
      return now.ended_at !== null && now;
    },
    timeoutMs,
  );
  await eventually(
    `the last process of ${id} is gone`,
    () => processesOf(id).length === 0 && foldersOf(id).length === 0,
  );
  return run;
}

/** The end of a run around which the supervisor may die: each look starts one where none is. */
export function endAfterCrash(bench: Bench, id: string): Promise<StatusDocument> {
  // One that dies right after the last commit cannot end the process: so both are looked at again and again.
  return eventually(
    'it has ended and nothing of it is left',
    async () => {
      const now = await bench.status(id);
      return now.ended_at !== null && processesOf(id).length + foldersOf(id).length === 0 && now;
    },
    60_000,
  );
}

/** The fields of the result of the step with that id. */
export function outputsOf(run: StatusDocument, id: string): JsonObject {
  const outputs = run.steps.find((step) => step.id === id)?.outputs;
  assert.ok(
    typeof outputs === 'object' && outputs !== null && !Array.isArray(outputs),
    `${id} has no result: ${run.reason}`,
  );
  return outputs;
}

export function assertNothingLeft(id: string): void {
  assert.deepEqual(processesOf(id), [], `processes of ${id} are left`);
  assert.deepEqual(foldersOf(id), [], `cgroups of ${id} are left`);
}

/** Pids of every process, our own host included, that carries the scope of the instance or of one of its steps. */
export function processesOf(id: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && scopeOf(Number(name)).includes(id))
    .map(Number);
}

/** Pid of the instance's own process. */
export function hostOf(id: string): number | undefined {
  return processesOf(id).find((pid) => /^Q_WORKFLOW_SCOPE=[^/]+\/[^/]+$/.test(scopeOf(pid)));
}

function scopeOf(pid: number): string {
  const environment = textOf(`/proc/${pid}/environ`).split('\0');
  return environment.find((entry) => entry.startsWith('Q_WORKFLOW_SCOPE=')) ?? '';
}

export function foldersOf(id: string): string[] {
  const found: string[] = [];
  const rest = ['/sys/fs/cgroup'];
  for (let folder = rest.pop(); folder !== undefined; folder = rest.pop()) {
    if (folder.slice(folder.lastIndexOf('/')).includes(id)) found.push(folder);
    else rest.push(...foldersIn(folder));
  }
  return found;
}

function foldersIn(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => join(folder, entry.name));
  } catch (error) {
    return ignoreGone(error, []);
  }
}

/** True while the process runs; a zombie does not. */
export function isRunning(pid: number): boolean {
  const stat = textOf(`/proc/${pid}/stat`);
  return stat !== '' && !/\) [ZX] /.test(stat);
}

/**
 * True while a process lives that holds the lock that goes with a file, or inherited it. Steps have pids of their own
 * namespaces, which say nothing outside; a lock does.
 */
export function isLocked(file: string): boolean {
  const { status, error } = spawnSync('flock', ['--nonblock', `${file}.lock`, 'true']);
  if (error !== undefined) throw error;
  return status !== 0;
}

/** For a script of sh: holds the lock that goes with a file, for as long as it and its children live. */
export function holdLock(file: string): string {
  return `exec 9> ${file}.lock; flock 9;`;
}

/**
 * The number that a script wrote into a file, once it is there. Of a step in its sandbox it is no pid of ours: only
 * that it is there counts.
 */
export function pidIn(file: string, timeoutMs?: number): Promise<number> {
  return eventually(`a pid in ${file}`, () => Number.parseInt(textOf(file), 10) || undefined, timeoutMs);
}

export function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return ignoreGone(error, '');
  }
}

function ignoreGone<T>(error: unknown, value: T): T {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  // Processes and cgroups end while we look; EACCES and EPERM: they are other users'.
  if (code === 'ENOENT' || code === 'ESRCH' || code === 'EACCES' || code === 'EPERM' || code === 'ENODEV')
    return value;
  throw error;
}
