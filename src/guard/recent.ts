/**
 * Moments, the newest last (ms). A plain value that shares what an earlier one holds: a run makes tens of thousands of
 * calls in an hour, and a copy for each of them held everybody up for seconds.
 */
export interface Recent {
  /** Shared: only what lies from `from` to `to` belongs to this value. */
  readonly shared: number[];
  readonly from: number;
  readonly to: number;
}

export const NO_MOMENTS: Recent = { shared: [], from: 0, to: 0 };

/** With one more; those up to `forgetTo` may be forgotten. */
export function withMoment(recent: Recent, at: number, forgetTo: number): Recent {
  const { shared, to } = recent;
  let { from } = recent;
  while (from < to && (shared[from] ?? 0) <= forgetTo) from += 1;
  const isMostlyForgotten = from > shared.length / 2;
  // Whoever asked whether one more is allowed has put the same one there.
  if (shared[to] === at && !isMostlyForgotten) return { shared, from, to: to + 1 };
  if (to === shared.length && to > 0 && !isMostlyForgotten) {
    shared.push(at);
    return { shared, from, to: to + 1 };
  }
  const own = shared.slice(from, to);
  own.push(at);
  return { shared: own, from: 0, to: own.length };
}

/** How many of them come after a moment. Not in order where the clock was set back, so each is looked at. */
export function countAfter({ shared, from, to }: Recent, moment: number): number {
  let count = 0;
  for (let index = from; index < to; index += 1) if ((shared[index] ?? 0) > moment) count += 1;
  return count;
}
