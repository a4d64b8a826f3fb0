/** Scopes of the sandbox, without a supervisor: opened for a measure, filled with processes, cleared away. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { chooseIsolation } from '../../sandbox/choose.ts';
import type { Isolation, Scope, ScopeLimits } from '../../sandbox/isolation.ts';

export const MIB = 1024 * 1024;
export const NO_LIMITS: ScopeLimits = { memoryBytes: null, cpuPercent: null, processes: null };
export const AT_ONCE = { graceMs: 0, timeoutMs: 10_000 };

const UP_WITHIN_MS = 60_000;

/** An isolation of a home of its own; whatever is left in it afterwards is killed and removed. */
export async function withIsolation<T>(
  requested: 'cgroup' | 'polling',
  use: (isolation: Isolation) => Promise<T>,
): Promise<T> {
  const home = mkdtempSync(join(tmpdir(), 'q-bench-scopes-'));
  const isolation = chooseIsolation({ home, requested });
  try {
    return await use(isolation);
  } finally {
    for (const record of isolation.listScopes()) {
      const scope = isolation.reopenScope(record);
      await scope?.kill(AT_ONCE);
      await scope?.remove();
    }
    isolation.close();
    rmSync(home, { recursive: true });
  }
}

/** Starts a command in a scope, nothing captured. */
export function startIn(scope: Scope, file: string, args: readonly string[]): ChildProcess {
  const plan = scope.plan({ file, args, cwd: '/', env: { PATH: '/usr/bin:/bin' } });
  const child = spawn(plan.file, plan.args, {
    cwd: plan.cwd,
    env: plan.env,
    detached: true,
    stdio: 'ignore',
  });
  if (child.pid === undefined) throw new Error(`${file} could not be started`);
  scope.attach(child.pid);
  return child;
}

/** Looks every few milliseconds until the condition holds; throws after a minute. */
export async function until(what: string, condition: () => boolean): Promise<void> {
  const deadline = performance.now() + UP_WITHIN_MS;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${UP_WITHIN_MS} ms: ${what}`);
    await pause(3);
  }
}

/** Ends a scope that a measure is done with. */
export async function clear(scope: Scope): Promise<void> {
  await scope.kill(AT_ONCE);
  await scope.remove();
}
