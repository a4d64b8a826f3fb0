import type { IoBytes, Usage } from '../../../sandbox/isolation.ts';
import type { UsageSeries } from '../../store/tables/instance-rows.ts';

/** What an instance used over its time, in a bounded number of points. */
export interface UsageHistory {
  /**
   * Takes a look at the scope; `now` is monotonic, ms. Answers what that look says, CPU since the one before. `readIo`
   * is called only when CPU was used since it was last, or since the first look: who did not run asked for nothing.
   */
  add(usage: Usage, now: number, readIo?: (() => IoBytes | null) | null): UsagePoint;
  /** The series so far, or null before the first look. */
  series(): UsageSeries | null;
}

export interface UsagePoint {
  readonly memoryBytes: number;
  readonly cpuPercent: number;
  readonly processes: number;
  /** As of the last time that it was read; null while nobody could tell. */
  readonly io: IoPoint | null;
}

export interface IoPoint extends IoBytes {
  /** Between the last two times. */
  readonly readPerSecond: number;
  readonly writtenPerSecond: number;
}

/** When so many points are there, two become one and the interval doubles: an hour fits as well as a second. */
const MAX_POINTS = 64;

interface Point {
  /** The highest of its time: a short peak must not get lost when points are joined. */
  memoryBytes: number;
  cpuSeconds: number;
  readBytes: number;
  writtenBytes: number;
  spanMs: number;
}

/** Goes on from the series of an earlier process of the same instance, if there is one. */
export function createUsageHistory(intervalMs: number, before: UsageSeries | null = null): UsageHistory {
  let stepMs = before?.intervalMs ?? intervalMs;
  let points: Point[] = pointsOf(before);
  let last: { at: number; cpuSeconds: number } | null = null;
  let hasIo = before?.ioReadPerSecond !== undefined;
  let io: IoPoint | null = null;
  /** Up to when it is known, with the CPU time of then. */
  let ioUntil: { at: number; cpuSeconds: number } | null = null;

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

  /** Takes what was moved since the last time into the points of that time. */
  const addIo = (bytes: IoBytes, spanMs: number): void => {
    const before = io ?? bytes;
    const readBytes = Math.max(0, bytes.readBytes - before.readBytes);
    const writtenBytes = Math.max(0, bytes.writtenBytes - before.writtenBytes);
    spread(points, spanMs, readBytes, writtenBytes);
    hasIo = true;
    io = {
      readBytes: bytes.readBytes,
      writtenBytes: bytes.writtenBytes,
      readPerSecond: perSecond(readBytes, spanMs),
      writtenPerSecond: perSecond(writtenBytes, spanMs),
    };
  };

  return {
    add: (usage, now, readIo = null) => {
      const spanMs = last === null ? 0 : Math.max(1, now - last.at);
      const cpuSeconds = last === null ? 0 : Math.max(0, usage.cpuSeconds - last.cpuSeconds);
      last ??= { at: now, cpuSeconds: 0 };
      last.at = now;
      last.cpuSeconds = usage.cpuSeconds;
      const open = points[points.length - 1];
      // A look a little early still belongs to the next point: half an interval decides.
      if (open === undefined || open.spanMs + spanMs / 2 > stepMs) {
        points.push({ memoryBytes: usage.memoryBytes, cpuSeconds, readBytes: 0, writtenBytes: 0, spanMs });
        if (points.length > MAX_POINTS) join();
      } else {
        open.memoryBytes = Math.max(open.memoryBytes, usage.memoryBytes);
        open.cpuSeconds += cpuSeconds;
        open.spanMs += spanMs;
      }
      ioUntil ??= { at: now, cpuSeconds: usage.cpuSeconds };
      if (readIo !== null) {
        const bytes = ioUntil.cpuSeconds === usage.cpuSeconds ? io : readIo();
        if (bytes !== null) addIo(bytes, now - ioUntil.at);
        ioUntil.at = now;
        ioUntil.cpuSeconds = usage.cpuSeconds;
      }
      return {
        memoryBytes: usage.memoryBytes,
        cpuPercent: spanMs === 0 ? 0 : (cpuSeconds * 100_000) / spanMs,
        processes: usage.processes,
        io,
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
            ...(hasIo
              ? {
                  ioReadPerSecond: points.map(({ readBytes, spanMs }) => perSecond(readBytes, spanMs)),
                  ioWrittenPerSecond: points.map(({ writtenBytes, spanMs }) =>
                    perSecond(writtenBytes, spanMs),
                  ),
                }
              : {}),
          },
  };
}

function merge(a: Point, b: Point): Point {
  return {
    memoryBytes: Math.max(a.memoryBytes, b.memoryBytes),
    cpuSeconds: a.cpuSeconds + b.cpuSeconds,
    readBytes: a.readBytes + b.readBytes,
    writtenBytes: a.writtenBytes + b.writtenBytes,
    spanMs: a.spanMs + b.spanMs,
  };
}

/** IO is read less often than the rest: each of the last points gets its share by the time that it covers. */
function spread(points: readonly Point[], spanMs: number, readBytes: number, writtenBytes: number): void {
  let leftMs = spanMs;
  for (const point of points.toReversed()) {
    if (leftMs <= 0) return;
    const share = Math.min(leftMs, point.spanMs) / spanMs;
    point.readBytes += readBytes * share;
    point.writtenBytes += writtenBytes * share;
    leftMs -= point.spanMs;
  }
}

function perSecond(bytes: number, spanMs: number): number {
  return spanMs === 0 ? 0 : Math.round((bytes * 1000) / spanMs);
}

function pointsOf(series: UsageSeries | null): Point[] {
  if (series === null) return [];
  return series.memoryBytes.map((memoryBytes, index) => ({
    memoryBytes,
    cpuSeconds: ((series.cpuPercent[index] ?? 0) * series.intervalMs) / 100_000,
    readBytes: ((series.ioReadPerSecond?.[index] ?? 0) * series.intervalMs) / 1000,
    writtenBytes: ((series.ioWrittenPerSecond?.[index] ?? 0) * series.intervalMs) / 1000,
    spanMs: series.intervalMs,
  }));
}
