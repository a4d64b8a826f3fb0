import type { Diagnostics } from '../diagnostics.ts';
import { isPaused, type LiveInstance } from './live-instance.ts';

/** The processes that an earlier supervisor left, until each has come back or is over. */
export interface Returns {
  /** Before `begin`. */
  expect(live: LiveInstance): void;
  /** They are heard from now on. Answers those that may still come. */
  begin(): LiveInstance[];
  came(live: LiveInstance): void;
  /** How many are still to come; who stands still cannot. */
  readonly awaited: number;
}

/** One that is back sends at once what it could not tell; the commit of that takes no longer, but on a slow disk. */
const SETTLE_MS = 1000;

/** Tells the log when the last one is there. */
export function createReturns(log: Diagnostics): Returns {
  const away = new Set<LiveInstance>();
  let expected = 0;
  let hasBegun = false;
  let isTold = false;

  const awaited = (): number => [...away].filter((live) => !isPaused(live)).length;
  const settle = (live: LiveInstance, settledAt: number): void => {
    if (!away.delete(live)) return;
    live.settledAt = settledAt;
    look();
  };
  const look = (): void => {
    if (!hasBegun || isTold || expected === 0 || awaited() > 0) return;
    isTold = true;
    log.info('what ran on without a supervisor is adopted', {
      instances: expected,
      msFromStart: Math.round(performance.now()),
    });
  };

  return {
    expect: (live) => {
      expected += 1;
      away.add(live);
      live.settledAt = Number.POSITIVE_INFINITY;
      live.lifetime.signal.addEventListener('abort', () => settle(live, 0), { once: true });
    },
    begin: () => {
      hasBegun = true;
      look();
      return [...away];
    },
    came: (live) => settle(live, performance.now() + SETTLE_MS),
    get awaited() {
      return awaited();
    },
  };
}
