import type { CronFields } from './cron-fields.ts';
import type { ZoneOffset } from './zone.ts';

/** What happens to a time that a clock change takes away (gap) or gives twice (fold). */
export interface ClockPolicy {
  /** shift: as far after the change as it was into the gap, 02:30 becomes 03:30. skip: not on that day. */
  readonly gap: 'shift' | 'skip';
  readonly fold: 'first' | 'last' | 'both';
}

/** One time at which a schedule is due. */
export interface Fire {
  /** UTC ms. */
  readonly at: number;
  /** The wall clock at that instant, as the UTC ms of the same reading. */
  readonly local: number;
  /** Why it is not what the expression says in plain words; null on every other day. */
  readonly change: 'gap' | 'fold_first' | 'fold_last' | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** No clock is further from UTC than 14 hours, and none was ever set by more than a day. */
const REACH_MS = 15 * HOUR_MS;
const LONGEST_CHANGE_MS = DAY_MS;
/** 29 February on a given weekday comes once in 40 years at most (28, and over 2100 once more). */
const HORIZON_MS = 41 * 366 * DAY_MS;

/**
 * The fires after an instant, in order, each instant once. Worked out day by day of the local calendar, so the set of
 * fires does not depend on when it is asked for. Ends when nothing comes for 41 years.
 */
export function* firesAfter(
  fields: CronFields,
  offset: ZoneOffset,
  policy: ClockPolicy,
  after: number,
): Generator<Fire, undefined> {
  const firstDay = startOfDay(after + offset(after)) - 2 * DAY_MS;
  let pending: Fire[] = [];
  let last = after;
  /** What is before `end` is complete: what later hours bring is not before it. */
  const settled = (end: number): Fire[] => {
    if (pending.length === 0) return [];
    const ready = pending.filter(({ at }) => at < end).sort(byTime);
    pending = pending.filter(({ at }) => at >= end);
    const fresh = ready.filter(({ at }, index) => at > (ready[index - 1]?.at ?? last) && at > last);
    last = fresh.at(-1)?.at ?? last;
    return fresh;
  };
  for (let day = firstDay; day < startOfDay(last) + HORIZON_MS; day += DAY_MS) {
    const isMeant = isDayMeant(fields, day);
    if (!isMeant && pending.length === 0) {
      day = lastOfMonthNotMeant(fields, day) ?? day;
      continue;
    }
    if (isMeant)
      for (const hour of fields.hours) {
        const begin = day + hour * HOUR_MS;
        const ahead = quietOffset(offset, begin);
        pending.push(
          ...(ahead === null
            ? hourFires(fields, offset, policy, begin)
            : quietFires(fields, begin, ahead, last)),
        );
        yield* settled(begin + HOUR_MS - (ahead ?? REACH_MS));
      }
    yield* settled(day + DAY_MS - REACH_MS);
  }
}

/** Day of the month OR day of the week, when both restrict; a bare `*` does not. */
function isDayMeant(fields: CronFields, day: number): boolean {
  const date = new Date(day);
  if (!fields.months.has(date.getUTCMonth() + 1)) return false;
  const isDay = fields.days.has(date.getUTCDate());
  const isWeekday = fields.weekdays.has(date.getUTCDay());
  if (fields.isAnyDay) return isWeekday;
  return fields.isAnyWeekday ? isDay : isDay || isWeekday;
}

/** The last day of the month, when nothing of the month is meant: a year without fires is soon passed over. */
function lastOfMonthNotMeant({ months }: CronFields, day: number): number | null {
  const date = new Date(day);
  const month = date.getUTCMonth() + 1;
  return months.has(month) ? null : Date.UTC(date.getUTCFullYear(), month, 0);
}

/** The offset of an hour of the local clock near which no clock is changed, or null. */
function quietOffset(offset: ZoneOffset, hour: number): number | null {
  const ahead = offset(hour - LONGEST_CHANGE_MS - REACH_MS);
  return ahead === offset(hour + LONGEST_CHANGE_MS + REACH_MS) ? ahead : null;
}

/** The fires of one hour of the local clock. */
function hourFires(fields: CronFields, offset: ZoneOffset, policy: ClockPolicy, hour: number): Fire[] {
  const fires: Fire[] = [];
  for (const minute of fields.minutes)
    for (const second of fields.seconds)
      fires.push(...instantsOf(fields, offset, policy, hour + minute * 60_000 + second * 1000));
  return fires;
}

/** The same where no clock is changed, without those that are over. */
function quietFires(fields: CronFields, hour: number, ahead: number, after: number): Fire[] {
  if (hour + HOUR_MS - ahead <= after) return [];
  const fires: Fire[] = [];
  for (const minute of fields.minutes) {
    const begin = hour + minute * 60_000;
    if (begin + 60_000 - ahead <= after) continue;
    for (const second of fields.seconds) {
      const local = begin + second * 1000;
      fires.push({ at: local - ahead, local, change: null });
    }
  }
  return fires;
}

function instantsOf(fields: CronFields, offset: ZoneOffset, policy: ClockPolicy, local: number): Fire[] {
  const near = [-LONGEST_CHANGE_MS - REACH_MS, -REACH_MS, 0, REACH_MS, LONGEST_CHANGE_MS + REACH_MS];
  const offsets = [...new Set(near.map((distance) => offset(local + distance)))];
  const found = offsets
    .map((ahead) => local - ahead)
    .filter((instant) => instant + offset(instant) === local)
    .sort((a, b) => a - b);
  const [first] = found;
  const second = found.at(-1);
  if (first === undefined || second === undefined) {
    if (fields.countsElapsedHours || policy.gap === 'skip') return [];
    // Read with the clock of after the change it lies before the change: the offset there is that of before.
    const before = offset(local - Math.max(...offsets));
    const at = local - before;
    return [{ at, local: at + offset(at), change: 'gap' }];
  }
  if (first === second) return [{ at: first, local, change: null }];
  const both: Fire[] = [
    { at: first, local, change: 'fold_first' },
    { at: second, local, change: 'fold_last' },
  ];
  if (fields.countsElapsedHours || policy.fold === 'both') return both;
  return both.filter(({ change }) => change === `fold_${policy.fold}`);
}

function startOfDay(local: number): number {
  return Math.floor(local / DAY_MS) * DAY_MS;
}

function byTime(a: Fire, b: Fire): number {
  return a.at - b.at;
}
