import { statSync } from 'node:fs';
import { isGone, keyedNumber, RareFile } from './control-file.ts';
import { childNames } from './folders.ts';

interface Counts {
  readonly oomKills: number;
  readonly forksRefused: number;
}

/** A cgroup folder has two links and one more for each child: cheaper to ask than the list. */
const LINKS_OF_A_LEAF = 2;

/**
 * Counters that the kernel keeps for each cgroup alone, added up over a tree by us. In v1 `oom_kill` counts in the
 * victim's cgroup, and in v1 and in v2 before Linux 6.10 `pids.events` in the forker's, wherever the limit that was
 * hit sits. Scopes that went keep their last seen values in the sum; one made and removed between two calls is
 * missed here, but the process that made it has its own count.
 */
export class LocalCounters {
  readonly #memoryFolder: string | null;
  readonly #pidsFolder: string | null;
  readonly #oom: RareFile | null;
  readonly #refused: RareFile | null;
  readonly #children = new Map<string, LocalCounters>();
  #links = LINKS_OF_A_LEAF;
  #isGone = false;
  #own: Counts = { oomKills: 0, forksRefused: 0 };
  #ofGone: Counts = { oomKills: 0, forksRefused: 0 };

  /** The same scope in the hierarchies of memory and pids; null = that counter is not ours to add. */
  constructor(memoryFolder: string | null, pidsFolder: string | null) {
    this.#memoryFolder = memoryFolder;
    this.#pidsFolder = pidsFolder;
    this.#oom = memoryFolder === null ? null : new RareFile(`${memoryFolder}/memory.oom_control`);
    this.#refused = pidsFolder === null ? null : new RareFile(`${pidsFolder}/pids.events`);
  }

  sum(): Counts {
    this.#readOwn();
    let total = add(this.#own, this.#ofGone);
    let hasLost = false;
    for (const child of this.#children.values()) {
      total = add(total, child.sum());
      hasLost ||= child.#isGone;
    }
    const links = this.#linkCount();
    if (links === this.#links && !hasLost) return total;
    this.#links = links;
    for (const child of this.#meetChildren()) total = add(total, child.sum());
    return total;
  }

  close(): void {
    this.#oom?.close();
    this.#refused?.close();
    for (const child of this.#children.values()) child.close();
  }

  #readOwn(): void {
    const oom = this.#oom?.read() ?? null;
    const refused = this.#refused?.read() ?? null;
    this.#isGone = oom === null && refused === null;
    this.#own = {
      oomKills: oom === null ? this.#own.oomKills : keyedNumber(oom, 'oom_kill'),
      forksRefused: refused === null ? this.#own.forksRefused : keyedNumber(refused, 'max'),
    };
  }

  #linkCount(): number {
    try {
      return statSync(this.#memoryFolder ?? this.#pidsFolder ?? '/').nlink;
    } catch (error) {
      if (!isGone(error)) throw error;
      return 0;
    }
  }

  /** Lets go of children that went, keeping their counts; answers those that are new. */
  #meetChildren(): LocalCounters[] {
    const names = new Set(childNames(this.#memoryFolder ?? this.#pidsFolder ?? ''));
    for (const [name, child] of this.#children) {
      if (names.has(name) && !child.#isGone) continue;
      this.#ofGone = add(this.#ofGone, child.sum());
      child.close();
      this.#children.delete(name);
    }
    const fresh: LocalCounters[] = [];
    for (const name of names) {
      if (this.#children.has(name)) continue;
      const child = new LocalCounters(below(this.#memoryFolder, name), below(this.#pidsFolder, name));
      this.#children.set(name, child);
      fresh.push(child);
    }
    return fresh;
  }
}

function add(a: Counts, b: Counts): Counts {
  return { oomKills: a.oomKills + b.oomKills, forksRefused: a.forksRefused + b.forksRefused };
}

function below(folder: string | null, name: string): string | null {
  return folder === null ? null : `${folder}/${name}`;
}
