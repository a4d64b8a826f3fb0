import { DueHeap } from '../../engine/heap.ts';

/** Who is due when, the soonest first: with ten thousand of them a look must not go through all. */
export interface DueQueue {
  /** When it is due from now on; null = never. */
  set(name: string, at: number | null): void;
  /** Takes out those that are due at `now`, in the order of their times; they are due no more. */
  take(now: number): string[];
  /** Infinity when none is. */
  soonest(): number;
}

/** What was set anew stays in the heap until it comes to the top, and is passed over there. */
export function createDueQueue(): DueQueue {
  const times = new Map<string, number>();
  let heap = new DueHeap<string>();

  /** When the first is due that is still due then, or null. */
  const first = (): number | null => {
    for (let name = heap.peek(); name !== undefined; name = heap.peek()) {
      const at = heap.nextAt();
      if (times.get(name) === at) return at;
      heap.pop();
    }
    return null;
  };
  /** What is stale is never more than half of it. */
  const tidy = (): void => {
    if (heap.size < 64 || heap.size <= 2 * times.size) return;
    heap = new DueHeap();
    for (const [name, at] of times) heap.push(at, name);
  };

  return {
    set: (name, at) => {
      if (at === null) times.delete(name);
      else if (times.get(name) !== at) {
        times.set(name, at);
        heap.push(at, name);
      }
      tidy();
    },
    take: (now) => {
      const due: string[] = [];
      for (let at = first(); at !== null && at <= now; at = first()) {
        const name = heap.pop();
        if (name === undefined) break;
        times.delete(name);
        due.push(name);
      }
      return due;
    },
    soonest: () => first() ?? Number.POSITIVE_INFINITY,
  };
}
