/** The promise's value, or undefined when it does not settle in time. Rejections pass through. */
export async function within<T>(promise: Promise<T>, ms: number): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const stop = startTimer(ms, () => resolve(undefined));
  try {
    return await Promise.race([promise, late]);
  } finally {
    stop();
  }
}

/** Real time and timers, or those of a test. */
export interface Clock {
  /** Monotonic, ms. */
  now(): number;
  /** Calls back after `ms`; returns how to call it off. */
  set(ms: number, callback: () => void): () => void;
}

const SYSTEM: Clock = {
  now: () => performance.now(),
  set: (ms, callback) => {
    const timer = setTimeout(callback, ms);
    return () => clearTimeout(timer);
  },
};

/** A long wait is made of parts of this length. */
const PART_MS = 1000;
/** A part that took this much longer was not slow: the process stood still (paused, or the machine slept). */
const STILL_MS = 2000;

/**
 * Calls back once after `ms` (null: never) of time in which this process could run: while it is frozen the time does
 * not count, to a second. Returns how to call it off.
 */
export function startTimer(ms: number | null, callback: () => void, clock?: Clock): () => void {
  const countdown = ms === null ? null : startCountdown(ms, callback, clock);
  return () => countdown?.callOff();
}

/** A timer that tells how much of its time has counted. */
export interface Countdown {
  spentMs(): number;
  callOff(): void;
}

/** As `startTimer`; an infinite one never calls back. */
export function startCountdown(ms: number, callback: () => void, clock: Clock = SYSTEM): Countdown {
  let before = 0;
  let callOff: () => void;
  let spentNow: () => number;
  const wait = (left: number): void => {
    const part = Math.min(left, PART_MS);
    const startedAt = clock.now();
    spentNow = () => {
      const spent = clock.now() - startedAt;
      return spent > part + STILL_MS ? part : spent;
    };
    callOff = clock.set(part, () => {
      const spent = Math.max(part, spentNow());
      before += spent;
      spentNow = () => 0;
      if (left > spent) wait(left - spent);
      else callback();
    });
  };
  wait(ms);
  return { spentMs: () => before + spentNow(), callOff: () => callOff() };
}

/** Runs `callback` when the signal aborts, at once if it has; returns how to forget it. */
export function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback();
    return () => undefined;
  }
  signal.addEventListener('abort', callback, { once: true });
  return () => signal.removeEventListener('abort', callback);
}
