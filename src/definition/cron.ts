/** What we use of the package `cron`. Loaded with `import()`, where there is a schedule. */
import { CronTime } from 'cron';
import { ensureError } from '../errors/workflow-error.ts';

/** What is wrong with an expression; null for a good one. */
export function cronFault(expression: string): string | null {
  try {
    parse(expression);
    return null;
  } catch (error) {
    return ensureError(error).message;
  }
}

/** With an offset: without one it asks for the zone of the machine each time, which is ten times the work. */
function parse(expression: string): CronTime {
  return new CronTime(expression, null, 0);
}

export type CronUnit = 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek';

/** The values that a field of an expression stands for, ascending. Throws what `cron` says about one that is none. */
export function cronValues(expression: string): (unit: CronUnit) => number[] {
  const parsed = parse(expression);
  return (unit) => {
    // An object with a key for each value (cron 4.4, lib/time.ts).
    const held: unknown = Reflect.get(parsed, unit);
    if (typeof held !== 'object' || held === null) throw new TypeError(`cron has no field ${unit}`);
    return Object.keys(held)
      .map(Number)
      .sort((a, b) => a - b);
  };
}

const DAYS_OF_MONTHS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/** True for days that no year has, such as the 31st of February. A day of the week beside it, all seven too, joins by OR. */
export function neverFires(expression: string): boolean {
  const values = cronValues(expression);
  const isAnyDayOfWeek = expression.trim().split(/\s+/).at(-1) === '*';
  const [firstDay = 1] = values('dayOfMonth');
  return isAnyDayOfWeek && values('month').every((month) => (DAYS_OF_MONTHS[month - 1] ?? 31) < firstDay);
}
