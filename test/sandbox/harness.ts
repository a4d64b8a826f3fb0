import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { isGone } from '../../sandbox/cgroupfs/control-file.ts';
import { CgroupIsolation } from '../../sandbox/cgroupfs/isolation.ts';
import { probeV1 } from '../../sandbox/cgroupfs/probe-v1.ts';
import { chooseIsolation, homeKey } from '../../sandbox/choose.ts';
import type { Isolation, Scope, ScopeLimits } from '../../sandbox/isolation.ts';

export const MIB = 1024 * 1024;
export const NONE: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };
export const NOW = { graceMs: 0, timeoutMs: 5000 };

/** Bounds of time are this much wider in the emulated machine of `npm run test:vm`. */
export const SLOWNESS = process.env['IN_VM'] === '1' ? 10 : 1;

/** A command that runs in a scope: its output, and its end. */
export interface Running {
  readonly child: ChildProcess;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

export function start(
  scope: Scope,
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Running {
  const plan = scope.plan({ file, args, cwd: '/', env: { PATH: '/usr/bin:/bin', ...env } });
  const child = spawn(plan.file, plan.args, {
    cwd: plan.cwd,
    env: plan.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (child.pid !== undefined) scope.attach(child.pid);
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  return { child, stdout: () => stdout, stderr: () => stderr, ended };
}

/** Looks every few milliseconds until the condition holds; fails after the bound. */
export async function until(what: string, condition: () => boolean, boundMs = 10_000): Promise<void> {
  const deadline = performance.now() + boundMs * SLOWNESS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${boundMs * SLOWNESS} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 3));
  }
}

/** An isolation of its own home for one test; afterwards its scopes are killed and removed. */
export function isolationFor(t: TestContext, kind: 'cgroup' | 'v1-freezer' | 'polling'): Isolation {
  const home = mkdtempSync(join(tmpdir(), 'q-sandbox-'));
  const isolation =
    kind === 'v1-freezer' ? freezerIsolation(home) : chooseIsolation({ home, requested: kind });
  t.after(async () => {
    for (const record of isolation.listScopes()) {
      const scope = isolation.reopenScope(record);
      await scope?.kill(NOW);
      await scope?.remove();
    }
    isolation.close();
    rmSync(home, { recursive: true });
  });
  return isolation;
}

/** cgroup v1 as it is on a machine without a cgroup2 tree. */
function freezerIsolation(home: string): Isolation {
  const key = homeKey(home);
  const result = probeV1(key, 'freezer');
  if (result.ground === null) throw new Error(result.problem);
  return new CgroupIsolation(result.ground, key);
}

/** Why tests of a kind cannot run here, or false: for the `skip` of node:test. */
export function lacks(kind: 'cgroup' | 'v1-freezer'): string | false {
  const home = '/nowhere/q-sandbox-lacks';
  try {
    (kind === 'cgroup' ? chooseIsolation({ home, requested: 'cgroup' }) : freezerIsolation(home)).close();
    return false;
  } catch (error) {
    return `this machine has no usable ${kind}: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** 61 processes that ignore SIGTERM: 20 plain, 20 in sessions of their own, 20 double-forked and re-parented. */
export const TREE = `trap '' TERM
i=0; while [ $i -lt 20 ]; do sleep 300 & i=$((i+1)); done
i=0; while [ $i -lt 20 ]; do setsid sleep 300 & i=$((i+1)); done
i=0; while [ $i -lt 20 ]; do (setsid sh -c 'exec sleep 300 >/dev/null 2>&1 &' &) ; i=$((i+1)); done
wait`;
export const TREE_SIZE = 61;

/** Fills memory at full speed, 4 MiB at a time. */
export const HOG = 'const all = []; for (;;) all.push(Buffer.alloc(4 * 1024 * 1024, 1));';

/** True when the whole tree of TREE is there: 60 sleepers and the shell, and none of the shells in between. */
export function isTreeUp(scope: Scope): boolean {
  const names = scope.pids().map((pid) => commandOf(pid));
  return names.length === TREE_SIZE && names.filter((name) => name === 'sleep').length === TREE_SIZE - 1;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (!isGone(error)) throw error;
    return '';
  }
}
