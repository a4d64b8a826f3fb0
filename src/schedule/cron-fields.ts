import type { CronUnit, cronValues } from '../definition/cron.ts';

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
  const words = written.trim().split(/\s+/);
  // It says what is wrong with another number of fields.
  if (words.length !== 5 && words.length !== 6) cronValues(written);
  const six = words.length === 5 ? ['0', ...words] : words;
  const [, , hour = '*', day = '*', , weekday = '*'] = six;
  const field = (unit: CronUnit): Field => fieldOf(unit, six[UNITS.indexOf(unit)] ?? '*', cronValues);
  return {
    seconds: field('second').values,
    minutes: field('minute').values,
    hours: field('hour').values,
    days: field('dayOfMonth').set,
    months: field('month').set,
    weekdays: field('dayOfWeek').set,
    isAnyDay: day === '*',
    isAnyWeekday: weekday === '*',
    countsElapsedHours: hour.startsWith('*'),
  };
}

interface Field {
  readonly values: readonly number[];
  readonly set: ReadonlySet<number>;
}

const UNITS: readonly CronUnit[] = ['second', 'minute', 'hour', 'dayOfMonth', 'month', 'dayOfWeek'];
/** What was read before. Ten thousand expressions are made of a few hundred fields, which do not depend on each other. */
const known = new Map<string, Field>();
const MAX_KNOWN = 2000;

function fieldOf(unit: CronUnit, word: string, read: typeof cronValues): Field {
  const key = `${unit} ${word}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const values = read(UNITS.map((other) => (other === unit ? word : '*')).join(' '))(unit);
  const set = new Set(unit === 'dayOfWeek' ? values.map((value) => value % 7) : values);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(key, { values, set });
  return { values, set };
}
