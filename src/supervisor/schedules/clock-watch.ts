/** Compares the wall clock with the monotonic one, which stands still while the machine sleeps. */
export interface ClockWatch {
  /** How far the wall clock jumped since the last look, ms (positive: forward); null when it went on as it should. */
  look(): number | null;
}

/** A clock that is only steered (NTP slews by 500 ppm) stays far below this between two looks. */
const JUMP_MS = 1000;

export function watchClock(
  wall: () => number,
  monotonic: () => number = () => performance.now(),
): ClockWatch {
  let ahead = wall() - monotonic();
  return {
    look: () => {
      const before = ahead;
      ahead = wall() - monotonic();
      const jumpMs = Math.round(ahead - before);
      return Math.abs(jumpMs) > JUMP_MS ? jumpMs : null;
    },
  };
}
