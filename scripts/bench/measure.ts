/** What one measure is, and the arithmetic that all share. */
import type { Bench } from './bench-home.ts';

export interface Result {
  readonly name: string;
  /** `%` is of one core. */
  readonly unit: 'ms' | 'MiB' | '%' | 'processes';
  readonly value: number;
  /** The same thing done with bare means in the same run; null where there is none. */
  readonly floor: number | null;
  /** What the floor is, in a few words. */
  readonly floorIs: string;
  /**
   * The bar of DESIGN section 8: on the value itself, on its ratio to the floor or on what it is above it; null for
   * information only.
   */
  readonly bar: { readonly of: 'value' | 'ratio' | 'difference'; readonly atMost: number } | null;
  /** Rounds that the median, the p95 or the maximum is of. */
  readonly rounds: number;
  readonly note?: string;
}

export interface Measure {
  /** What `--only` takes. */
  readonly name: string;
  run(bench: Bench): Promise<Result[]>;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)];
  const lower = sorted[Math.ceil(middle) - 1];
  if (upper === undefined || lower === undefined) throw new Error('a median of nothing');
  return (upper + lower) / 2;
}

/** The value that 95 of 100 are not above, by nearest rank: of fewer than 20 it is the highest. */
export function p95(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const value = sorted[Math.ceil(sorted.length * 0.95) - 1];
  if (value === undefined) throw new Error('a p95 of nothing');
  return value;
}

export function ratioOf(result: Result): number | null {
  return result.floor === null ? null : result.value / result.floor;
}

export function verdict(result: Result): 'ok' | 'missed' | '' {
  if (result.bar === null) return '';
  const measured = {
    value: result.value,
    ratio: ratioOf(result),
    difference: result.floor === null ? null : result.value - result.floor,
  }[result.bar.of];
  return measured !== null && measured <= result.bar.atMost ? 'ok' : 'missed';
}

export async function timed(act: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await act();
  return performance.now() - startedAt;
}
