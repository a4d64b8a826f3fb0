import { processAgeMs } from '../../../sandbox/process-identity.ts';
import type { SupervisorContext } from '../context.ts';
import { type EndRequest, isPaused, type LiveInstance } from './live-instance.ts';

/** The instance ends itself at its time limit; the supervisor steps in this much later. */
const TIME_LIMIT_SLACK_MS = 5_000;
/** A deadline that comes so much later than it should shows that the supervisor, or the machine, stood still. */
const LATE_MS = 1_000;
/** Long enough to read what came meanwhile. */
const HEARING_MS = 2_000;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** The times by which a process must have reported and must have ended. They are over with its lifetime. */
export interface Deadlines {
  /** From now on it has so long to report. */
  report(live: LiveInstance, deadlineMs: number): void;
  /** It is ended when its active time is over. */
  time(live: LiveInstance): void;
  /** Sets them anew when a pause is over: they do not run while it stands still. */
  rearm(live: LiveInstance): void;
}

export function createDeadlines(
  context: SupervisorContext,
  end: (live: LiveInstance, request: EndRequest) => void,
): Deadlines {
  /** Aborted to set the deadlines of an instance anew; `reportMs` is what it was given to report. */
  const armed = new WeakMap<LiveInstance, { readonly abort: AbortController; reportMs: number | null }>();

  const stateOf = (live: LiveInstance): { readonly abort: AbortController; reportMs: number | null } => {
    const known = armed.get(live);
    if (known !== undefined && !known.abort.signal.aborted) return known;
    const fresh = { abort: new AbortController(), reportMs: null };
    armed.set(live, fresh);
    live.lifetime.signal.addEventListener('abort', () => fresh.abort.abort(), { once: true });
    return fresh;
  };

  const later = (live: LiveInstance, ms: number, act: () => void): void => {
    const { signal } = stateOf(live).abort;
    const fire = (): void => {
      // Who stands still cannot report and does not use up its time.
      if (!isPaused(live)) act();
    };
    const timer = setTimeout(fire, Math.min(MAX_TIMER_MS, Math.max(0, ms))).unref();
    signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
  };

  const awaitReport = (live: LiveInstance, ms: number): void => {
    const dueAt = performance.now() + ms;
    later(live, ms, () => {
      if (live.link !== null) return;
      // What it said while we stood still ourselves is still to be read.
      if (performance.now() - dueAt > LATE_MS) awaitReport(live, HEARING_MS);
      else end(live, { kind: 'start_failed', by: 'it did not report in time' });
    });
  };
  const report: Deadlines['report'] = (live, deadlineMs) => {
    stateOf(live).reportMs = deadlineMs;
    awaitReport(live, deadlineMs);
  };

  /** By the wall clock, which an earlier supervisor wrote down; bounded, as it may have jumped since. */
  const activeByNow = ({ row, process }: LiveInstance): number | null => {
    if (row.activeSince === null) return null;
    const oldest = (process === null ? null : processAgeMs(process)) ?? Number.POSITIVE_INFINITY;
    return Math.min(Math.max(0, context.now() - row.activeSince), oldest);
  };

  const time: Deadlines['time'] = (live) => {
    const { limits, activeMs } = live.row;
    const ms = activeByNow(live);
    live.activeFrom = ms === null ? null : performance.now() - ms;
    later(live, limits.executionMs - activeMs - (ms ?? 0) + TIME_LIMIT_SLACK_MS, () => {
      end(live, { kind: 'time_limit', by: 'supervisor' });
    });
  };

  return {
    report,
    time,
    rearm: (live) => {
      const { abort, reportMs } = stateOf(live);
      abort.abort();
      time(live);
      if (live.link === null && reportMs !== null) report(live, reportMs);
    },
  };
}
