/** Who is due when, the soonest first: with ten thousand of them a look must not go through all. */
export interface DueQueue {
  /** When it is due from now on; null = never. */
  set(name: string, at: number | null): void;
  /** Takes out those that are due at `now`, in the order of their times; they are due no more. */
  take(now: number): string[];
  /** Infinity when none is. */
  soonest(): number;
}

interface Item {
  readonly name: string;
  readonly at: number;
}

/** A binary heap. What was set anew stays in it until it comes to the top, and is passed over there. */
export function createDueQueue(): DueQueue {
  const times = new Map<string, number>();
  let heap: Item[] = [];

  const isSooner = (a: number, b: number): boolean => (heap[a]?.at ?? 0) < (heap[b]?.at ?? 0);
  const swap = (a: number, b: number): void => {
    const [one, other] = [heap[a], heap[b]];
    if (one === undefined || other === undefined) return;
    heap[a] = other;
    heap[b] = one;
  };
  const push = (item: Item): void => {
    let place = heap.push(item) - 1;
    for (let above = (place - 1) >> 1; place > 0 && isSooner(place, above); above = (place - 1) >> 1) {
      swap(place, above);
      place = above;
    }
  };
  const pop = (): void => {
    swap(0, heap.length - 1);
    heap.pop();
    for (let place = 0; ; ) {
      const [left, right] = [2 * place + 1, 2 * place + 2];
      const below = right < heap.length && isSooner(right, left) ? right : left;
      if (below >= heap.length || !isSooner(below, place)) return;
      swap(below, place);
      place = below;
    }
  };
  const isStale = ({ name, at }: Item): boolean => times.get(name) !== at;
  const top = (): Item | null => {
    for (let first = heap[0]; first !== undefined; first = heap[0]) {
      if (!isStale(first)) return first;
      pop();
    }
    return null;
  };
  /** What is stale is never more than half of it. */
  const tidy = (): void => {
    if (heap.length < 64 || heap.length <= 2 * times.size) return;
    heap = [...times].map(([name, at]) => ({ name, at })).sort((a, b) => a.at - b.at);
  };

  return {
    set: (name, at) => {
      if (at === null) times.delete(name);
      else if (times.get(name) !== at) {
        times.set(name, at);
        push({ name, at });
      }
      tidy();
    },
    take: (now) => {
      const due: string[] = [];
      for (let first = top(); first !== null && first.at <= now; first = top()) {
        pop();
        times.delete(first.name);
        due.push(first.name);
      }
      return due;
    },
    soonest: () => top()?.at ?? Number.POSITIVE_INFINITY,
  };
}
