import { WorkflowError } from '../src/errors/workflow-error.ts';
import type { KillOptions, KillReport } from './isolation.ts';

const LISTED_MAX = 1000;

/** What the ladder needs of a scope. Zombies count nowhere. */
export interface KillTarget {
  pids(): number[];
  /** Lets stopped or frozen processes go on, so that they can act on SIGTERM. */
  release(): Promise<void>;
  /** One SIGKILL to all that are there now. */
  strike(): Promise<void>;
  /** True when the scope was seen empty within the time. */
  isEmptyWithin(timeoutMs: number): Promise<boolean>;
}

/**
 * The one way in which processes are ended: SIGTERM to all, a grace that ends early when all are gone, SIGKILL to
 * the whole scope until it is empty or the time is over, then a report. An empty scope returns at once.
 */
export async function climbKillLadder(target: KillTarget, options: KillOptions): Promise<KillReport> {
  const startedAt = performance.now();
  const found = target.pids();
  const killed = new Set<number>();
  let isEmpty = found.length === 0 && (await target.isEmptyWithin(0));
  if (!isEmpty && options.graceMs > 0) {
    for (const pid of found) signal(pid, 'SIGTERM');
    await target.release();
    isEmpty = await target.isEmptyWithin(options.graceMs);
  }
  const deadline = performance.now() + options.timeoutMs;
  // A process may fork between listing and SIGKILL where the kernel has no kill for a whole group: strike again,
  // with growing pauses, because after the first few strikes only a stuck process can be left.
  for (let pauseMs = 20; !isEmpty; pauseMs = Math.min(pauseMs * 2, 500)) {
    for (const pid of target.pids()) killed.add(pid);
    await target.strike();
    const leftMs = deadline - performance.now();
    isEmpty = await target.isEmptyWithin(Math.max(0, Math.min(pauseMs, leftMs)));
    if (leftMs <= 0) break;
  }
  return {
    found: found.slice(0, LISTED_MAX),
    foundCount: found.length,
    killedCount: killed.size,
    survivors: isEmpty ? [] : target.pids(),
    durationMs: performance.now() - startedAt,
  };
}

/** Sends a signal to a process of ours; one that is gone is fine. False when it could not be reached. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    process.kill(pid, name);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    // EPERM: it became another user's (set-user-ID); the caller sees it among the survivors.
    if (code !== 'ESRCH' && code !== 'EPERM') throw error;
    return false;
  }
}

/**
 * One kill of a scope at a time: later calls get the report of the first. Only a call with a shorter grace does not
 * wait for the longer one to pass: it climbs by itself, at once, and later calls join it.
 */
export class JointKill {
  #hasBegun = false;
  #running: { readonly graceMs: number; readonly report: Promise<KillReport> } | null = null;

  /** The first rung: what is being ended gets nothing new. Throws SCOPE_FAILED once a kill of the scope has begun. */
  assertOpen(name: string): void {
    if (!this.#hasBegun) return;
    throw new WorkflowError(
      'SCOPE_FAILED',
      `Scope "${name}" is being ended: nothing more is started in it.`,
      {
        hint: 'Open a new scope.',
      },
    );
  }

  climb(target: KillTarget, options: KillOptions): Promise<KillReport> {
    this.#hasBegun = true;
    if (this.#running !== null && this.#running.graceMs <= options.graceMs) return this.#running.report;
    const report = climbKillLadder(target, options).finally(() => {
      if (this.#running?.report === report) this.#running = null;
    });
    this.#running = { graceMs: options.graceMs, report };
    return report;
  }
}
