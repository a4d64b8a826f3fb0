/** What durations were like lately. */
export interface Latency {
  add(ms: number): void;
  /** Null while nothing was measured in the window. */
  summary(): LatencySummary | null;
}

export interface LatencySummary {
  readonly p50_ms: number;
  readonly p99_ms: number;
  readonly samples: number;
  /** How far back the samples go at most. */
  readonly window_seconds: number;
}

const WINDOW_MS = 300_000;
/** Of a busy store: the last seconds then. */
const MAX_SAMPLES = 4096;

/** The last five minutes, of at most 4096 measurements. `now` is a monotonic clock. */
export function createLatency(now: () => number = () => performance.now()): Latency {
  const times = new Float64Array(MAX_SAMPLES);
  const values = new Float64Array(MAX_SAMPLES);
  let count = 0;
  return {
    add: (ms) => {
      times[count % MAX_SAMPLES] = now();
      values[count % MAX_SAMPLES] = ms;
      count += 1;
    },
    summary: () => {
      const from = now() - WINDOW_MS;
      const kept = Math.min(count, MAX_SAMPLES);
      const recent = values.subarray(0, kept).filter((_, index) => (times[index] ?? 0) >= from);
      if (recent.length === 0) return null;
      recent.sort();
      return {
        p50_ms: round(quantile(recent, 0.5)),
        p99_ms: round(quantile(recent, 0.99)),
        samples: recent.length,
        window_seconds: WINDOW_MS / 1000,
      };
    },
  };
}

/** Of sorted values: the smallest that so large a share does not exceed. */
function quantile(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
