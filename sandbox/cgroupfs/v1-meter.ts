import { statSync } from 'node:fs';
import type { Usage } from '../isolation.ts';
import { isGone, KeptFile, keyedNumber } from './control-file.ts';
import { childNames, type Folders } from './folders.ts';
import type { Meter } from './version.ts';

/** Counters of a v1 scope. `folders` may lack controllers: their values stay 0. */
export function openV1Meter(folders: Folders): Meter {
  const file = (controller: string, name: string): KeptFile | null =>
    folders[controller] === undefined ? null : new KeptFile(`${folders[controller]}/${name}`);
  const memory = file('memory', 'memory.usage_in_bytes');
  const memoryPeak = file('memory', 'memory.max_usage_in_bytes');
  const cpuTime = file('cpuacct', 'cpuacct.usage');
  const cpuStat = file('cpu', 'cpu.stat');
  const pids = file('pids', 'pids.current');
  const pidsPeak = file('pids', 'pids.peak');
  const tree = new LocalCounters(folders.memory ?? '', folders.pids ?? '');
  let last: Usage = {
    memoryBytes: 0,
    memoryPeakBytes: 0,
    cpuSeconds: 0,
    cpuThrottledSeconds: 0,
    processes: 0,
    processesPeak: 0,
    oomKills: 0,
    forksRefused: 0,
  };

  const usage = (detail: 'quick' | 'full'): Usage => {
    const processes = numberIn(pids, last.processes);
    last = {
      ...last,
      memoryBytes: numberIn(memory, last.memoryBytes),
      memoryPeakBytes: numberIn(memoryPeak, last.memoryPeakBytes),
      cpuSeconds: numberIn(cpuTime, last.cpuSeconds * 1e9) / 1e9,
      processes,
      processesPeak: Math.max(last.processesPeak, processes),
    };
    if (detail === 'quick') return last;
    const throttled = cpuStat?.read();
    last = {
      ...last,
      cpuThrottledSeconds: throttled
        ? keyedNumber(throttled, 'throttled_time') / 1e9
        : last.cpuThrottledSeconds,
      processesPeak: Math.max(last.processesPeak, numberIn(pidsPeak, 0)),
      ...tree.sum(),
    };
    return last;
  };
  const close = (): void => {
    for (const kept of [memory, memoryPeak, cpuTime, cpuStat, pids, pidsPeak]) kept?.close();
    tree.close();
  };
  return { usage, close };
}

function numberIn(file: KeptFile | null, fallback: number): number {
  const text = file?.read();
  return text ? Number.parseInt(text, 10) || 0 : fallback;
}

/**
 * In v1 `oom_kill` counts in the victim's cgroup and `pids.events` in the forker's, wherever the limit that was hit
 * sits, and neither is added up the tree: so we add, over the scopes below and those seen before they went. A scope
 * made and removed between two calls is missed here; the process that made it has its own count.
 */
class LocalCounters {
  readonly #memoryFolder: string;
  readonly #pidsFolder: string;
  readonly #oom: KeptFile;
  readonly #refused: KeptFile;
  readonly #children = new Map<string, LocalCounters>();
  #links = 0;
  #own = { oomKills: 0, forksRefused: 0 };
  #gone = { oomKills: 0, forksRefused: 0 };

  constructor(memoryFolder: string, pidsFolder: string) {
    this.#memoryFolder = memoryFolder;
    this.#pidsFolder = pidsFolder;
    this.#oom = new KeptFile(`${memoryFolder}/memory.oom_control`);
    this.#refused = new KeptFile(`${pidsFolder}/pids.events`);
  }

  sum(): { oomKills: number; forksRefused: number } {
    const oom = this.#oom.read();
    const refused = this.#refused.read();
    if (oom !== null) this.#own.oomKills = keyedNumber(oom, 'oom_kill');
    if (refused !== null) this.#own.forksRefused = keyedNumber(refused, 'max');
    this.#lookForChildren();
    let { oomKills, forksRefused } = this.#own;
    for (const part of [this.#gone, ...[...this.#children.values()].map((child) => child.sum())]) {
      oomKills += part.oomKills;
      forksRefused += part.forksRefused;
    }
    return { oomKills, forksRefused };
  }

  close(): void {
    this.#oom.close();
    this.#refused.close();
    for (const child of this.#children.values()) child.close();
  }

  /** A cgroup folder has two links and one more for each child: cheaper to ask than the list. */
  #lookForChildren(): void {
    const folder = this.#memoryFolder === '' ? this.#pidsFolder : this.#memoryFolder;
    const links = linkCount(folder);
    const isChanged = links !== this.#links || [...this.#children.values()].some((child) => child.#isGone());
    if (!isChanged) return;
    this.#links = links;
    const names = new Set(childNames(folder));
    for (const [name, child] of this.#children) {
      if (names.has(name) && !child.#isGone()) continue;
      const seen = child.sum();
      this.#gone = {
        oomKills: this.#gone.oomKills + seen.oomKills,
        forksRefused: this.#gone.forksRefused + seen.forksRefused,
      };
      child.close();
      this.#children.delete(name);
    }
    for (const name of names) {
      if (this.#children.has(name)) continue;
      this.#children.set(
        name,
        new LocalCounters(`${this.#memoryFolder}/${name}`, `${this.#pidsFolder}/${name}`),
      );
    }
  }

  #isGone(): boolean {
    return this.#oom.read() === null && this.#refused.read() === null;
  }
}

function linkCount(folder: string): number {
  try {
    return statSync(folder).nlink;
  } catch (error) {
    if (!isGone(error)) throw error;
    return 0;
  }
}
