import type { DrillNote } from '../../protocol/drill-note.ts';
import type { HealthRow } from '../health/health-row.ts';

const DAY_MS = 24 * 3600 * 1000;
/** What was proven longer ago is a hope. */
const MAX_AGE_DAYS = 30;
const FIX = 'q workflow kill drill';

/** Whether the kill switch was proven on this machine, and lately. `now` in UTC ms. */
export function drillRow(note: DrillNote | null, now: number): HealthRow {
  const name = 'kill drill';
  if (note === null) return { name, state: 'missing', detail: 'the kill switch was never drilled', fix: FIX };
  const days = Math.floor((now - note.at) / DAY_MS);
  const since = days === 0 ? 'less than a day ago' : days === 1 ? '1 day ago' : `${days} days ago`;
  const when = `${new Date(note.at).toISOString().slice(0, 16).replace('T', ' ')} UTC, ${since}`;
  if (!note.held)
    return {
      name,
      state: 'missing',
      detail: `the drill of ${when}, failed; its evidence is in the audit (kill.drilled)`,
      fix: FIX,
    };
  return now - note.at > MAX_AGE_DAYS * DAY_MS
    ? {
        name,
        state: 'missing',
        detail: `the last drill was ${when}: it counts for ${MAX_AGE_DAYS} days`,
        fix: FIX,
      }
    : { name, state: 'ok', detail: `held at ${when}`, fix: null };
}
