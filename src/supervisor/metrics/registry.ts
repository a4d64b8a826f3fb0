/** Counters and histograms, and the form in which all metrics are handed on. Names and labels: docs/operations.md. */

export type Labels = Readonly<Record<string, string>>;

export interface Point {
  readonly labels: Labels;
  readonly value: number;
}

export interface Distribution {
  readonly labels: Labels;
  readonly count: number;
  readonly sum: number;
  /** Of each bound how many were not above it and above the one before; one more for what is above all. */
  readonly buckets: readonly number[];
}

interface Named {
  readonly name: string;
  readonly help: string;
}

export type Family = Named &
  (
    | { readonly type: 'counter' | 'gauge'; readonly points: readonly Point[] }
    | {
        readonly type: 'histogram';
        readonly bounds: readonly number[];
        readonly points: readonly Distribution[];
      }
  );

export interface Counter {
  add(labels?: Labels, by?: number): void;
  family(): Family;
}

export interface Histogram {
  observe(value: number, labels?: Labels): void;
  family(): Family;
}

/** So many names of workflows get a label of their own; the others share one: labels must not grow without end. */
const MAX_NAMES = 100;
export const OTHER = 'other';

/** Gives the first names their own label, and later ones `other`. */
export function boundedNames(max = MAX_NAMES): (name: string) => string {
  const names = new Set<string>();
  return (name) => {
    if (names.size < max) names.add(name);
    return names.has(name) ? name : OTHER;
  };
}

export function createCounter(name: string, help: string): Counter {
  const points = new Map<string, { labels: Labels; value: number }>();
  return {
    add: (labels = {}, by = 1) => {
      const point = points.get(keyOf(labels));
      if (point === undefined) points.set(keyOf(labels), { labels, value: by });
      else point.value += by;
    },
    family: () => ({ name, help, type: 'counter', points: [...points.values()] }),
  };
}

export function createHistogram(name: string, help: string, bounds: readonly number[]): Histogram {
  const points = new Map<string, { labels: Labels; count: number; sum: number; buckets: number[] }>();
  return {
    observe: (value, labels = {}) => {
      const key = keyOf(labels);
      const point = points.get(key) ?? {
        labels,
        count: 0,
        sum: 0,
        buckets: Array.from({ length: bounds.length + 1 }, () => 0),
      };
      points.set(key, point);
      const index = bounds.findIndex((bound) => value <= bound);
      const place = index === -1 ? bounds.length : index;
      point.buckets[place] = (point.buckets[place] ?? 0) + 1;
      point.count += 1;
      point.sum += value;
    },
    family: () => ({ name, help, type: 'histogram', bounds, points: [...points.values()] }),
  };
}

export function gauge(name: string, help: string, points: readonly Point[] | number): Family {
  return {
    name,
    help,
    type: 'gauge',
    points: typeof points === 'number' ? [{ labels: {}, value: points }] : points,
  };
}

function keyOf(labels: Labels): string {
  return JSON.stringify(labels);
}
