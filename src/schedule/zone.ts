/** A time zone as offsets: how far its clock is ahead of UTC at an instant, ms. */
export type ZoneOffset = (instant: number) => number;

const QUARTER_MS = 15 * 60_000;
const MAX_KNOWN = 4096;

const zones = new Map<string, ZoneOffset>();

/** The offsets of an IANA zone, from the data of this Node. Throws RangeError for a name that is none. */
export function offsetIn(zone: string): ZoneOffset {
  const known = zones.get(zone) ?? makeOffset(zone);
  zones.set(zone, known);
  return known;
}

function makeOffset(zone: string): ZoneOffset {
  if (zone === 'UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    calendar: 'gregory',
    hourCycle: 'h23',
    era: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const known = new Map<number, number>();
  const atQuarter = (quarter: number): number => {
    const found = known.get(quarter);
    if (found !== undefined) return found;
    const offset = localFields(format, quarter * QUARTER_MS) - quarter * QUARTER_MS;
    if (known.size >= MAX_KNOWN) known.clear();
    known.set(quarter, offset);
    return offset;
  };
  return (instant) => {
    const quarter = Math.floor(instant / QUARTER_MS);
    const offset = atQuarter(quarter);
    // Most clocks change at full quarters of an hour of UTC; that of St John's did a minute after one, until 2011.
    if (instant % QUARTER_MS === 0 || offset === atQuarter(quarter + 1)) return offset;
    const second = Math.floor(instant / 1000) * 1000;
    return localFields(format, second) - second;
  };
}

/** The wall clock at an instant, as the UTC ms of the same reading. */
function localFields(format: Intl.DateTimeFormat, instant: number): number {
  const parts = Object.fromEntries(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const year = Number(parts['year']) * (parts['era'] === 'BC' ? -1 : 1);
  const date = new Date(0);
  date.setUTCFullYear(year, Number(parts['month']) - 1, Number(parts['day']));
  date.setUTCHours(Number(parts['hour']), Number(parts['minute']), Number(parts['second']));
  return date.getTime();
}
