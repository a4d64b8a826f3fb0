/**
 * The time by which the waits of a run end: that of the wall clock, but never earlier than it was. A clock that is set
 * back while a retry waits its second would make it wait for the hour that comes again.
 */
export interface RunClock {
  /** UTC ms. */
  now(): number;
  /** To be called when nothing waits, or what waits goes by the wall clock of the supervisor: back to that. */
  follow(): void;
}

/** `startsAt`: where the run was when it was last heard of, UTC ms; the wall clock may be behind it by now. */
export function createRunClock(
  startsAt: number,
  wall: () => number = Date.now,
  monotonic: () => number = () => performance.now(),
): RunClock {
  // In the monotonic clock a sleep of the machine does not count; in the wall clock it does.
  let ahead = startsAt - monotonic();
  return {
    now: () => {
      const at = Math.max(wall(), Math.floor(ahead + monotonic()));
      ahead = at - monotonic();
      return at;
    },
    follow: () => {
      ahead = wall() - monotonic();
    },
  };
}
