/** The JSON form of OTLP: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding. 64-bit numbers are texts. */
import type { Family, Labels } from './registry.ts';
import type { Span } from './spans.ts';

type Attributes = { key: string; value: { stringValue: string } | { intValue: string } }[];

const SCOPE = { name: 'q-workflow' };
const CUMULATIVE = 2;
const INTERNAL_SPAN = 1;
const STATUS_ERROR = 2;

/** `startedAt` and `now`: UTC ms. */
export function metricsJson(
  families: readonly Family[],
  resource: Labels,
  startedAt: number,
  now: number,
): object {
  const times = { startTimeUnixNano: nanoseconds(startedAt), timeUnixNano: nanoseconds(now) };
  const metrics = families.map((family) => {
    const { name, help: description } = family;
    if (family.type === 'histogram')
      return {
        name,
        description,
        histogram: {
          aggregationTemporality: CUMULATIVE,
          dataPoints: family.points.map(({ labels, count, sum, buckets }) => ({
            attributes: attributes(labels),
            ...times,
            count: String(count),
            sum,
            bucketCounts: buckets.map(String),
            explicitBounds: family.bounds,
          })),
        },
      };
    const dataPoints = family.points.map(({ labels, value }) => ({
      attributes: attributes(labels),
      ...times,
      asDouble: value,
    }));
    return family.type === 'counter'
      ? { name, description, sum: { aggregationTemporality: CUMULATIVE, isMonotonic: true, dataPoints } }
      : { name, description, gauge: { dataPoints } };
  });
  return {
    resourceMetrics: [
      { resource: { attributes: attributes(resource) }, scopeMetrics: [{ scope: SCOPE, metrics }] },
    ],
  };
}

export function tracesJson(spans: readonly Span[], resource: Labels): object {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        scopeSpans: [{ scope: SCOPE, spans: spans.map(spanJson) }],
      },
    ],
  };
}

function spanJson(span: Span): object {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId === null ? {} : { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: INTERNAL_SPAN,
    startTimeUnixNano: nanoseconds(span.startedAt),
    endTimeUnixNano: nanoseconds(span.endedAt),
    attributes: attributes(span.attributes),
    status: span.failure === null ? {} : { code: STATUS_ERROR, message: span.failure },
  };
}

function attributes(labels: Readonly<Record<string, string | number>>): Attributes {
  return Object.entries(labels).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
}

function nanoseconds(ms: number): string {
  return `${BigInt(Math.round(ms)) * 1_000_000n}`;
}
