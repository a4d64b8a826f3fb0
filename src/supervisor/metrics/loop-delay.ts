import { monitorEventLoopDelay } from 'node:perf_hooks';

/** How late timers of the supervisor came lately: what a command waits for on top of its work. */
export interface LoopDelay {
  summary(): DelaySummary;
  close(): void;
}

export interface DelaySummary {
  readonly p99_ms: number;
  readonly max_ms: number;
}

/** A look each 50 ms costs 0.15 % of a core; each 10 ms, as is the default, 0.6 %. */
const LOOK_MS = 50;
const WINDOW_MS = 120_000;

/** Of the last two to four minutes: Node's histogram only grows, so it is emptied, and the worse of two counts. */
export function watchLoopDelay(): LoopDelay {
  const histogram = monitorEventLoopDelay({ resolution: LOOK_MS });
  histogram.enable();
  let before: DelaySummary = { p99_ms: 0, max_ms: 0 };
  const now = (): DelaySummary =>
    histogram.count === 0
      ? { p99_ms: 0, max_ms: 0 }
      : { p99_ms: lateness(histogram.percentile(99)), max_ms: lateness(histogram.max) };
  const timer = setInterval(() => {
    before = now();
    histogram.reset();
  }, WINDOW_MS);
  timer.unref();
  return {
    summary: () => {
      const { p99_ms, max_ms } = now();
      return { p99_ms: Math.max(before.p99_ms, p99_ms), max_ms: Math.max(before.max_ms, max_ms) };
    },
    close: () => {
      clearInterval(timer);
      histogram.disable();
    },
  };
}

/** What is recorded is the whole time between two looks. */
function lateness(nanoseconds: number): number {
  return Math.max(0, Math.round((nanoseconds / 1e6 - LOOK_MS) * 100) / 100);
}
