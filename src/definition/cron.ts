/** What we use of the package `cron`. Loaded with `import()`, where there is a schedule. */
import { CronTime, validateCronExpression } from 'cron';

/** What is wrong with an expression; null for a good one. */
export function cronFault(expression: string): string | null {
  const { valid, error } = validateCronExpression(expression);
  return valid ? null : (error?.message ?? 'it cannot be read');
}

export type CronUnit = 'second' | 'minute' | 'hour' | 'dayOfMonth' | 'month' | 'dayOfWeek';

/** The values that a field of an expression stands for, ascending. Throws what `cron` says about one that is none. */
export function cronValues(expression: string): (unit: CronUnit) => number[] {
  const parsed = new CronTime(expression);
  return (unit) => {
    // An object with a key for each value (cron 4.4, lib/time.ts).
    const held: unknown = Reflect.get(parsed, unit);
    if (typeof held !== 'object' || held === null) throw new TypeError(`cron has no field ${unit}`);
    return Object.keys(held)
      .map(Number)
      .sort((a, b) => a - b);
  };
}
