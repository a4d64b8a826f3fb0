import type { Usage } from '../../sandbox/isolation.ts';
import type { UsageSeries } from '../store/operations.ts';

/** What an instance used over its time, in a bounded number of points. */
export interface UsageHistory {
  /** Takes a look at the scope; `now` is monotonic, ms. Answers what that look says, CPU since the one before. */
  add(usage: Usage, now: number): UsagePoint;
  /** The series so far, or null before the first look. */
  series(): UsageSeries | null;
}

export interface UsagePoint {
  readonly memoryBytes: number;
  readonly cpuPercent: number;
  readonly processes: number;
}

/** When so many points are there, two become one and the interval doubles: an hour fits as well as a second. */
const MAX_POINTS = 64;

interface Point {
  /** The highest of its time: a short peak must not get lost when points are joined. */
  memoryBytes: number;
  cpuSeconds: number;
  spanMs: number;
}

/** Goes on from the series of an earlier process of the same instance, if there is one. */
export function createUsageHistory(intervalMs: number, before: UsageSeries | null = null): UsageHistory {
  let stepMs = before?.intervalMs ?? intervalMs;
  let points: Point[] = pointsOf(before);
  let last: { at: number; cpuSeconds: number } | null = null;

  const join = (): void => {
    const joined: Point[] = [];
    for (let index = 0; index < points.length; index += 2) {
      const [a, b] = [points[index], points[index + 1]];
      if (a === undefined) continue;
      joined.push(b === undefined ? a : merge(a, b));
    }
    points = joined;
    stepMs *= 2;
  };

  return {
    add: (usage, now) => {
      const spanMs = last === null ? 0 : Math.max(1, now - last.at);
      const cpuSeconds = last === null ? 0 : Math.max(0, usage.cpuSeconds - last.cpuSeconds);
      last ??= { at: now, cpuSeconds: 0 };
      last.at = now;
      last.cpuSeconds = usage.cpuSeconds;
      const open = points[points.length - 1];
      // A look a little early still belongs to the next point: half an interval decides.
      if (open === undefined || open.spanMs + spanMs / 2 > stepMs) {
        points.push({ memoryBytes: usage.memoryBytes, cpuSeconds, spanMs });
        if (points.length > MAX_POINTS) join();
      } else {
        open.memoryBytes = Math.max(open.memoryBytes, usage.memoryBytes);
        open.cpuSeconds += cpuSeconds;
        open.spanMs += spanMs;
      }
      return {
        memoryBytes: usage.memoryBytes,
        cpuPercent: spanMs === 0 ? 0 : (cpuSeconds * 100_000) / spanMs,
        processes: usage.processes,
      };
    },
    series: () =>
      points.length === 0
        ? null
        : {
            intervalMs: stepMs,
            memoryBytes: points.map((point) => point.memoryBytes),
            cpuPercent: points.map((point) =>
              point.spanMs === 0 ? 0 : Math.round((point.cpuSeconds * 100_000) / point.spanMs),
            ),
          },
  };
}

function merge(a: Point, b: Point): Point {
  return {
    memoryBytes: Math.max(a.memoryBytes, b.memoryBytes),
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    spanMs: a.spanMs + b.spanMs,
  };
}

function pointsOf(series: UsageSeries | null): Point[] {
  if (series === null) return [];
  return series.memoryBytes.map((memoryBytes, index) => ({
    memoryBytes,
    cpuSeconds: ((series.cpuPercent[index] ?? 0) * series.intervalMs) / 100_000,
    spanMs: series.intervalMs,
  }));
}
