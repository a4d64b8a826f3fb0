const STAMP = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})Z$/;

/** A time (UTC ms) as a part of a file's name that sorts by time: `20261128T085801000Z`. */
export function stamp(at: number): string {
  return new Date(at).toISOString().replace(/[-:.]/g, '');
}

/** The time of a stamp; null for a text that is none. */
export function fromStamp(text: string): number | null {
  const [, year, month, day, hour, minute, second, ms] = STAMP.exec(text) ?? [];
  if (year === undefined) return null;
  const at = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`);
  return Number.isNaN(at) ? null : at;
}
