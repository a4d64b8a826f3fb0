/**
 * The capacity ledger: what the machine has, who holds how much, who waits. Slots belong to live instances only,
 * they are never read from the database, so that a crash cannot leave one taken.
 */
import { compareTurns, isDue, laneOf, type Shares, type Waiting } from './turn-order.ts';

export interface Capacity {
  readonly memoryBytes: number;
  /** Of one core. A limit is a ceiling and most runs wait most of the time: more than the cores give. */
  readonly cpuPercent: number;
  /** Instances that may be in their start-up at once: more only slow each other down. */
  readonly concurrentStarts: number;
}

export interface Demand {
  readonly id: string;
  readonly workflow: string;
  /** -10 to 10; higher goes first. */
  readonly priority: number;
  readonly memoryBytes: number;
  /** More than there is counts as all there is: the machine is the limit then. */
  readonly cpuPercent: number;
}

export interface QueueEntry {
  readonly id: string;
  readonly workflow: string;
  readonly priority: number;
  readonly waits_for: string;
}

export interface Ledger {
  /** Why so much memory can never be had here, or null. */
  refuses(memoryBytes: number): string | null;
  enqueue(demand: Demand): void;
  /**
   * Takes the demands that fit now, in their turn, out of the queue and into the held ones, as starting. One that does
   * not fit is passed by others that do, a bounded number of times.
   */
  admit(): Demand[];
  /** The start-up of a held one is over. */
  started(id: string): void;
  /** Puts a live one (adopted, resumed) among the held ones whatever is free. */
  hold(demand: Demand): void;
  /** Nothing is admitted while there is a reason; null lifts it. */
  block(reason: string | null): void;
  /** Gives back what was held, or leaves the queue. */
  release(id: string): void;
  /** What it waits for; null when it is not in the queue. */
  waitsFor(id: string): string | null;
  /** All that wait, in the order in which they would be admitted if nothing else came. */
  queue(): QueueEntry[];
  readonly queueLength: number;
  readonly promised: { readonly memoryBytes: number; readonly cpuPercent: number };
}

type Entry = Waiting & { readonly demand: Demand };

/** `now` is a monotonic clock, ms. */
export function createLedger(capacity: Capacity, now: () => number = () => performance.now()): Ledger {
  const held = new Map<string, Demand>();
  const starting = new Set<string>();
  const waiting = new Map<string, Entry>();
  const lanes = new Map<string, Map<string, Entry>>();
  const heldByWorkflow = new Map<string, number>();
  const lastServed = new Map<string, number>();
  let usedMemory = 0;
  let usedCpu = 0;
  let serial = 0;
  let blockedBy: string | null = null;

  const shares: Shares = {
    held: (workflow) => heldByWorkflow.get(workflow) ?? 0,
    lastServed: (workflow) => lastServed.get(workflow) ?? 0,
  };
  const cpuOf = ({ cpuPercent }: Demand): number => Math.min(cpuPercent, capacity.cpuPercent);
  const lacksRoom = (demand: Demand): string | null => {
    if (usedMemory + demand.memoryBytes > capacity.memoryBytes)
      return `${megabytes(demand.memoryBytes)} of memory (${megabytes(Math.max(0, capacity.memoryBytes - usedMemory))} of ${megabytes(capacity.memoryBytes)} free)`;
    if (usedCpu + cpuOf(demand) > capacity.cpuPercent)
      return `${cpuOf(demand)} % of CPU (${Math.max(0, capacity.cpuPercent - usedCpu)} % of ${capacity.cpuPercent} % free)`;
    return null;
  };
  const lacksLeave = (): string | null =>
    blockedBy ??
    (starting.size >= capacity.concurrentStarts ? `a start (${starting.size} are starting)` : null);

  const leaveQueue = (id: string): void => {
    const entry = waiting.get(id);
    if (entry === undefined) return;
    waiting.delete(id);
    const lane = lanes.get(laneOf(entry));
    lane?.delete(id);
    if (lane?.size === 0) lanes.delete(laneOf(entry));
  };
  const giveBack = (id: string): void => {
    const demand = held.get(id);
    if (demand === undefined) return;
    held.delete(id);
    usedMemory -= demand.memoryBytes;
    usedCpu -= cpuOf(demand);
    const left = shares.held(demand.workflow) - 1;
    if (left > 0) heldByWorkflow.set(demand.workflow, left);
    else heldByWorkflow.delete(demand.workflow);
  };
  const take = (demand: Demand): void => {
    leaveQueue(demand.id);
    giveBack(demand.id);
    held.set(demand.id, demand);
    usedMemory += demand.memoryBytes;
    usedCpu += cpuOf(demand);
    heldByWorkflow.set(demand.workflow, shares.held(demand.workflow) + 1);
  };
  /** Nobody is to be remembered for ever: without waiting ones it does not matter who was served last. */
  const forget = (): void => {
    if (waiting.size === 0) lastServed.clear();
  };

  const heads = (): Entry[] => {
    const at = now();
    return [...lanes.values()]
      .flatMap((lane) => lane.values().take(1).toArray())
      .sort((a, b) => compareTurns(a, b, shares, at));
  };
  const next = (): Entry | null => {
    if (lacksLeave() !== null) return null;
    const passed: Entry[] = [];
    for (const entry of heads()) {
      if (lacksRoom(entry.demand) === null) {
        for (const each of passed) each.overtaken += 1;
        return entry;
      }
      if (isDue(entry)) return null;
      passed.push(entry);
    }
    return null;
  };

  return {
    refuses: (memoryBytes) =>
      memoryBytes > capacity.memoryBytes
        ? `it asks for ${megabytes(memoryBytes)} of memory and this machine gives ${megabytes(capacity.memoryBytes)} to workflows`
        : null,
    enqueue: (demand) => {
      leaveQueue(demand.id);
      serial += 1;
      const { id, workflow, priority } = demand;
      const entry: Entry = { id, workflow, priority, since: now(), serial, overtaken: 0, demand };
      waiting.set(id, entry);
      const lane = lanes.get(laneOf(entry)) ?? new Map<string, Entry>();
      lanes.set(laneOf(entry), lane.set(id, entry));
    },
    admit: () => {
      const admitted: Demand[] = [];
      for (let entry = next(); entry !== null; entry = next()) {
        take(entry.demand);
        starting.add(entry.id);
        serial += 1;
        lastServed.set(entry.workflow, serial);
        admitted.push(entry.demand);
      }
      forget();
      return admitted;
    },
    started: (id) => {
      starting.delete(id);
    },
    hold: take,
    block: (reason) => {
      blockedBy = reason;
    },
    release: (id) => {
      giveBack(id);
      starting.delete(id);
      leaveQueue(id);
      forget();
    },
    waitsFor: (id) => {
      const entry = waiting.get(id);
      if (entry === undefined) return null;
      const isFirst = heads()[0] === entry;
      return (
        (isFirst ? (lacksLeave() ?? lacksRoom(entry.demand)) : null) ?? `its turn (${waiting.size} wait)`
      );
    },
    queue: () =>
      inTurn([...waiting.values()], shares, now()).map(({ id, workflow, priority, demand }, index) => ({
        id,
        workflow,
        priority,
        waits_for:
          index === 0 ? (lacksLeave() ?? lacksRoom(demand) ?? 'its turn') : `${index} before it in the queue`,
      })),
    get queueLength() {
      return waiting.size;
    },
    get promised() {
      return { memoryBytes: usedMemory, cpuPercent: usedCpu };
    },
  };
}

/** Plays the admissions through, as if each found room. */
function inTurn(entries: readonly Entry[], shares: Shares, at: number): Entry[] {
  const lanes = new Set([...Map.groupBy(entries, laneOf).values()].map((all) => ({ all, next: 0 })));
  const more = new Map<string, number>();
  const served = new Map<string, number>();
  const then: Shares = {
    held: (workflow) => shares.held(workflow) + (more.get(workflow) ?? 0),
    lastServed: (workflow) => served.get(workflow) ?? shares.lastServed(workflow),
  };
  const order: Entry[] = [];
  while (lanes.size > 0) {
    let first: Entry | undefined;
    let from: { all: Entry[]; next: number } | undefined;
    for (const lane of lanes) {
      const head = lane.all[lane.next];
      if (head !== undefined && (first === undefined || compareTurns(head, first, then, at) < 0))
        [first, from] = [head, lane];
    }
    if (first === undefined || from === undefined) return order;
    from.next += 1;
    if (from.next === from.all.length) lanes.delete(from);
    more.set(first.workflow, (more.get(first.workflow) ?? 0) + 1);
    served.set(first.workflow, Number.MAX_SAFE_INTEGER - entries.length + order.length);
    order.push(first);
  }
  return order;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
