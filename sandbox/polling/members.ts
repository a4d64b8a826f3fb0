import { Attached } from '../attached.ts';
import { isWithin, markerOf, type ProcessRow, readProcesses } from './process-table.ts';

/**
 * The processes of a polling scope: those it was told of, those that carry its marker in their environment, and
 * whatever these lead to by parent, process group or session. It misses a process that cleared its environment,
 * left its session and lost its parent between two looks: which is why polling is called observed, not enforced.
 */
export class Members {
  readonly #marker: string;
  readonly #attached = new Attached();
  /** Processes once found, by pid and start time: they stay ours whatever they exec. */
  #known = new Set<string>();
  /** Processes whose environment is not ours: read once only, because a fork of ours has our marker from its start. */
  #strangers = new Set<string>();
  /** Groups and sessions led by a member, alive or not. */
  readonly #groups = new Set<number>();

  constructor(marker: string) {
    this.#marker = marker;
  }

  attach(pid: number): void {
    this.#attached.add(pid);
  }

  /** Pids alive now, never our own. `thorough` reads every environment again. */
  scan(care: 'quick' | 'thorough'): number[] {
    if (care === 'thorough') this.#strangers.clear();
    const rows = readProcesses();
    const roots = this.#attached.alive();
    if (rows.length === 0) return roots;
    const seeds = new Set(roots);
    for (const row of rows) if (this.#known.has(keyOf(row)) || this.#carriesMarker(row)) seeds.add(row.pid);
    const found = closure(rows, seeds, this.#groups, process.pid);
    this.#known = new Set(found.map(keyOf));
    const living = new Set(rows.map((row) => row.pid));
    // A group number is free for others once its leader and all members are gone.
    for (const group of this.#groups) {
      if (!living.has(group) && !found.some((row) => row.group === group || row.session === group))
        this.#groups.delete(group);
    }
    for (const row of found) this.#groups.add(row.pid);
    return found.map((row) => row.pid);
  }

  #carriesMarker(row: ProcessRow): boolean {
    if (this.#strangers.has(keyOf(row))) return false;
    const marker = markerOf(row.pid);
    if (marker !== null && isWithin(marker, this.#marker)) return true;
    this.#strangers.add(keyOf(row));
    return false;
  }
}

/** Everything reachable from the seeds by parent, group or session; `self` is never in it. */
export function closure(
  rows: readonly ProcessRow[],
  seeds: ReadonlySet<number>,
  groups: ReadonlySet<number>,
  self: number,
): ProcessRow[] {
  const found = new Map<number, ProcessRow>();
  const isOurs = (row: ProcessRow): boolean =>
    seeds.has(row.pid) ||
    found.has(row.parent) ||
    [row.group, row.session].some((id) => found.has(id) || groups.has(id));
  for (let before = -1; before !== found.size; ) {
    before = found.size;
    for (const row of rows)
      if (row.pid !== self && !found.has(row.pid) && isOurs(row)) found.set(row.pid, row);
  }
  return [...found.values()];
}

function keyOf(row: ProcessRow): string {
  return `${row.pid}@${row.startTime}`;
}
