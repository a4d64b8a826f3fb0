import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../../errors/workflow-error.ts';
import { makePrivate } from '../../protocol/durable.ts';
import { writeDurably } from '../../protocol/durable-file.ts';

/**
 * The time by which things grow old enough to be archived or removed: the wall clock, which it follows only so fast. A
 * wall clock that is wrong by a year for an hour makes nothing go that is not due within a day.
 */
export interface AgeClock {
  /** UTC ms; never later than the wall clock. */
  now(): number;
  /** Writes down where it is, for the next supervisor. */
  keep(): void;
}

/** A machine that is on for an hour a day keeps up. */
const PACE = 24;
/** A wall clock that says less has not been set yet; what was noted by it is not what to catch up from. 2026-01-01. */
const EARLIEST_MS = 1_767_225_600_000;

/** `file` holds where it was; where there is none it begins at the wall clock. */
export function openAgeClock(
  file: string,
  wall: () => number,
  monotonic: () => number = () => performance.now(),
): AgeClock {
  let reached = noted(file) ?? wall();
  let lookedAt = monotonic();
  const now = (): number => {
    const at = monotonic();
    reached = Math.min(wall(), Math.max(reached, EARLIEST_MS) + Math.floor((at - lookedAt) * PACE));
    lookedAt = at;
    return reached;
  };
  return {
    now,
    keep: () => {
      makePrivate(dirname(file));
      writeDurably(file, String(now()));
    },
  };
}

function noted(file: string): number | null {
  try {
    const text = readFileSync(file, 'utf8');
    return /^\d{1,15}$/.test(text) ? Number(text) : null;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
