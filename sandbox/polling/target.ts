import { setTimeout as delay } from 'node:timers/promises';
import { type KillTarget, signal } from '../kill-ladder.ts';
import type { Members } from './members.ts';

const PASS_MS = 3;
const PAUSE_MAX_MS = 50;

/** The processes of a polling scope as the kill ladder and the waits see them. */
export class PollingTarget implements KillTarget {
  readonly #members: Members;

  constructor(members: Members) {
    this.#members = members;
  }

  pids(): number[] {
    return this.#members.scan('thorough');
  }

  async release(): Promise<void> {
    for (const pid of this.pids()) signal(pid, 'SIGCONT');
  }

  async strike(): Promise<void> {
    const pids = this.pids();
    for (const pid of pids) {
      signal(pid, 'SIGKILL');
      // Its group too, if it leads one: catches what was forked since the scan. Ours is never led by a member.
      signal(-pid, 'SIGKILL');
    }
    if (process.platform !== 'linux') await Promise.all(pids.map(killTree));
  }

  isEmptyWithin(timeoutMs: number): Promise<boolean> {
    return this.#untilEmpty(performance.now() + timeoutMs);
  }

  /** No event tells of the end of a process that is not our child: looks with a back-off up to 50 ms. */
  async whenEmpty(abort: AbortSignal): Promise<void> {
    await this.#untilEmpty(Number.POSITIVE_INFINITY, abort);
  }

  /** Empty means two clean looks: one look may fall between the end of a parent and the listing of its child. */
  async #untilEmpty(deadline: number, abort?: AbortSignal): Promise<boolean> {
    let cleanPasses = 0;
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      abort?.throwIfAborted();
      cleanPasses = this.pids().length === 0 ? cleanPasses + 1 : 0;
      if (cleanPasses === 2) return true;
      const leftMs = deadline - performance.now();
      if (cleanPasses === 0 && leftMs <= 0) return false;
      await pause(cleanPasses > 0 ? PASS_MS : Math.min(pauseMs, leftMs), abort);
    }
  }
}

/** Rejects with the reason of the signal itself, as the waits of cgroups do. */
async function pause(ms: number, abort: AbortSignal | undefined): Promise<void> {
  try {
    await delay(ms, undefined, abort ? { signal: abort } : {});
  } catch (error) {
    abort?.throwIfAborted();
    throw error;
  }
}

/** Off Linux there is no /proc to scan; tree-kill walks the parents by `ps` and misses what was re-parented. */
async function killTree(pid: number): Promise<void> {
  const { default: treeKill } = await import('tree-kill');
  await new Promise<void>((resolve) => treeKill(pid, 'SIGKILL', () => resolve()));
}
