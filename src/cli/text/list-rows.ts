import { didYouMean, nearest } from '../../errors/nearest.ts';
import { WorkflowError } from '../../errors/workflow-error.ts';

/** One thing that a list tells of its rows. */
export interface Column<T> {
  /** As `--sort`, `--filter` and the head of the CSV have it. */
  readonly name: string;
  readonly value: (row: T) => string | number | null;
}

/**
 * The rows that every filter takes, sorted. A filter is `column=value`, `column=a,b` for one of several, or
 * `column!=value`; `*` in a value stands for anything. Sorting is by `column`, or from the other end by `-column`;
 * what has no value comes last. Throws USAGE for a column that is not there.
 */
export function arrange<T>(
  rows: readonly T[],
  columns: readonly Column<T>[],
  { sort, filters }: { readonly sort: string | null; readonly filters: readonly string[] },
): readonly T[] {
  const tests = filters.map((filter) => readFilter(filter, columns));
  const kept = rows.filter((row) => tests.every((matches) => matches(row)));
  if (sort === null) return kept;
  const isReversed = sort.startsWith('-');
  const { value } = columnOf('--sort', isReversed ? sort.slice(1) : sort, columns);
  return kept.toSorted((a, b) => compare(value(a), value(b), isReversed ? -1 : 1));
}

/** After RFC 4180, lines ended by a newline alone. */
export function csv<T>(rows: readonly T[], columns: readonly Column<T>[]): string {
  const lines = [
    columns.map(({ name }) => name),
    ...rows.map((row) => columns.map(({ value }) => value(row))),
  ];
  return lines.map((cells) => cells.map(csvCell).join(',')).join('\n');
}

function csvCell(value: string | number | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function readFilter<T>(filter: string, columns: readonly Column<T>[]): (row: T) => boolean {
  const [, name = '', not, values = ''] = /^([\w-]+)(!?)=(.*)$/s.exec(filter) ?? [];
  if (name === '')
    throw new WorkflowError('USAGE', `--filter takes column=value, and "${filter}" is not of that form`, {
      hint: `The columns are ${columns.map((column) => column.name).join(', ')}.`,
    });
  const { value } = columnOf('--filter', name, columns);
  const patterns = values.split(',').map(globOf);
  return (row) => patterns.some((pattern) => pattern.test(String(value(row) ?? ''))) !== (not === '!');
}

function globOf(text: string): RegExp {
  const parts = text
    .trim()
    .split('*')
    .map((part) => part.replace(/[\\^$.|?+()[\]{}]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 'is');
}

function columnOf<T>(flag: string, name: string, columns: readonly Column<T>[]): Column<T> {
  const column = columns.find((known) => known.name === name);
  if (column !== undefined) return column;
  const names = columns.map((known) => known.name);
  throw new WorkflowError(
    'USAGE',
    `${flag}: there is no column "${name}"${didYouMean(nearest(name, names))}`,
    { hint: `The columns are ${names.join(', ')}.` },
  );
}

function compare(a: string | number | null, b: string | number | null, sign: 1 | -1): number {
  if (a === null || b === null) return (a === null ? 1 : 0) - (b === null ? 1 : 0);
  if (typeof a === 'number' && typeof b === 'number') return sign * (a - b);
  const [left, right] = [String(a), String(b)];
  return left === right ? 0 : left < right ? -sign : sign;
}
