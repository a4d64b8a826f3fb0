/**
 * The capacity ledger: what the machine has, who holds how much, who waits. Slots belong to live instances only,
 * they are never read from the database, so that a crash cannot leave one taken.
 */
export interface Capacity {
  readonly memoryBytes: number;
  /** Instances that may be in their start-up at once: more only slow each other down. */
  readonly concurrentStarts: number;
}

export interface Demand {
  readonly id: string;
  readonly memoryBytes: number;
}

export interface Ledger {
  /** Why the demand can never be met here, or null. */
  refuses(demand: Demand): string | null;
  enqueue(demand: Demand): void;
  /** Takes the demands that fit now, in their order, out of the queue and into the held ones, as starting. */
  admit(): Demand[];
  /** The start-up of a held one is over. */
  started(id: string): void;
  /** Puts a live one (adopted, resumed) among the held ones whatever is free. */
  hold(demand: Demand): void;
  /** Nothing is admitted while there is a reason; null lifts it. */
  block(reason: string | null): void;
  /** Gives back what was held, or leaves the queue. */
  release(id: string): void;
  queue(): { id: string; waits_for: string }[];
}

export function createLedger(capacity: Capacity): Ledger {
  const held = new Map<string, Demand>();
  const starting = new Set<string>();
  const waiting = new Map<string, Demand>();
  let blockedBy: string | null = null;

  const used = (): number => [...held.values()].reduce((sum, demand) => sum + demand.memoryBytes, 0);
  const lacks = (demand: Demand, usedBytes: number): string | null => {
    if (blockedBy !== null) return blockedBy;
    if (usedBytes + demand.memoryBytes > capacity.memoryBytes)
      return `${megabytes(demand.memoryBytes)} of memory (${megabytes(Math.max(0, capacity.memoryBytes - usedBytes))} of ${megabytes(capacity.memoryBytes)} free)`;
    if (starting.size >= capacity.concurrentStarts) return `a start (${starting.size} are starting)`;
    return null;
  };

  return {
    refuses: (demand) =>
      demand.memoryBytes > capacity.memoryBytes
        ? `it asks for ${megabytes(demand.memoryBytes)} of memory and this machine gives ${megabytes(capacity.memoryBytes)} to workflows`
        : null,
    enqueue: (demand) => {
      waiting.set(demand.id, demand);
    },
    admit: () => {
      const admitted: Demand[] = [];
      let usedBytes = used();
      // First come, first served: a large one at the head is not overtaken, or it could wait for ever.
      for (const demand of waiting.values()) {
        if (lacks(demand, usedBytes) !== null) break;
        waiting.delete(demand.id);
        held.set(demand.id, demand);
        starting.add(demand.id);
        usedBytes += demand.memoryBytes;
        admitted.push(demand);
      }
      return admitted;
    },
    started: (id) => {
      starting.delete(id);
    },
    hold: (demand) => {
      waiting.delete(demand.id);
      held.set(demand.id, demand);
    },
    block: (reason) => {
      blockedBy = reason;
    },
    release: (id) => {
      held.delete(id);
      starting.delete(id);
      waiting.delete(id);
    },
    queue: () =>
      [...waiting.values()].map((demand, index) => ({
        id: demand.id,
        waits_for: index === 0 ? (lacks(demand, used()) ?? 'its turn') : `${index} before it in the queue`,
      })),
  };
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
