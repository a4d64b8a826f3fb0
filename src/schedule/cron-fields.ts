/** What a cron expression says, field by field. The parsing is the package `cron`'s; the meaning is ours (fires.ts). */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: ReadonlySet<number>;
  readonly months: ReadonlySet<number>;
  /** 0 = Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** The field is a bare `*`: it does not restrict. With a step after it, it does. */
  readonly isAnyDay: boolean;
  readonly isAnyWeekday: boolean;
  /** The hour field begins with `*`: it counts time as it passes, whatever the clock does. */
  readonly countsElapsedHours: boolean;
}

/** What the names of `cron` stand for. Of the same form as written out: seconds first. */
const PRESETS: Readonly<Record<string, string>> = {
  '@yearly': '0 0 0 1 1 *',
  '@monthly': '0 0 0 1 * *',
  '@weekly': '0 0 0 * * 0',
  '@daily': '0 0 0 * * *',
  '@hourly': '0 0 * * * *',
  '@minutely': '0 * * * * *',
  '@secondly': '* * * * * *',
  '@weekdays': '0 0 0 * * 1-5',
  '@weekends': '0 0 0 * * 0,6',
};

/** Reads an expression of five fields, or six with seconds first. Throws what `cron` says about one that is none. */
export async function parseCron(expression: string): Promise<CronFields> {
  // Heavy, and only needed where there is a schedule.
  const { cronValues } = await import('../definition/cron.ts');
  const written = PRESETS[expression.trim().toLowerCase()] ?? expression;
  const values = cronValues(written);
  const words = written.trim().split(/\s+/);
  const [, , hour = '*', day = '*', , weekday = '*'] = words.length === 5 ? ['0', ...words] : words;
  return {
    seconds: values('second'),
    minutes: values('minute'),
    hours: values('hour'),
    days: new Set(values('dayOfMonth')),
    months: new Set(values('month')),
    weekdays: new Set(values('dayOfWeek').map((value) => value % 7)),
    isAnyDay: day === '*',
    isAnyWeekday: weekday === '*',
    countsElapsedHours: hour.startsWith('*'),
  };
}
