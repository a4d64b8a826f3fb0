import { Flags } from '@oclif/core';
import { WorkflowError } from '../../errors/workflow-error.ts';
import { arrange, type Column, csv } from './list-rows.ts';
import { type Screen, screenOf } from './screen.ts';
import { ago, localTime } from './style.ts';
import { type ColumnForm, table } from './table.ts';
import { wrapped, wrapText } from './wrap.ts';

/** The flags of every list. */
export const LIST_FLAGS = {
  sort: Flags.string({
    description: 'by this column; --sort=-COLUMN from the other end',
    helpValue: 'COLUMN',
  }),
  filter: Flags.string({
    multiple: true,
    description: 'only rows where it holds; a,b for one of several, != for not, * for anything',
    helpValue: 'COLUMN=VALUE',
  }),
  output: Flags.option({
    options: ['table', 'csv', 'json'] as const,
    char: 'o',
    description: 'how it is printed (--json is --output json)',
  })(),
  exact: Flags.boolean({ description: 'exact times instead of "5 min ago"' }),
};

/** For lists of what belongs to a workflow. */
export const WORKFLOW_FLAG = {
  workflow: Flags.string({ description: 'only of this workflow (* stands for anything)', helpValue: 'NAME' }),
};

export interface ListRequest {
  readonly json: boolean;
  readonly sort?: string | undefined;
  readonly filter?: readonly string[] | undefined;
  readonly workflow?: string | undefined;
  readonly output?: 'table' | 'csv' | 'json' | undefined;
  readonly exact: boolean;
}

/** How cells are written. */
export interface Look extends Screen {
  /** Exact times are wanted. */
  readonly exact: boolean;
  /** A moment, as the person wants to have it. */
  readonly time: (iso: string | null) => string;
}

export interface ListColumn<T> extends Column<T>, ColumnForm {
  /** Head in the table; without one it is only in the CSV. */
  readonly title?: string;
  /** The cell; default: the value. */
  readonly cell?: (row: T, look: Look) => string;
}

export interface ListExtras<T> {
  /** Replaces the table where people are shown more than cells. */
  readonly draw?: (rows: readonly T[], look: Look) => string;
  /** No more rows than this; `newest_last`: those at the end. */
  readonly limit?: number;
  readonly order?: 'newest_last';
  /** What the JSON is, where it is not the rows alone. */
  readonly document?: (rows: readonly T[]) => unknown;
}

/** True where the rows that are shown can only be told when all are there: some are left out, or the order is another. */
export function needsAll({ filter, workflow, sort }: ListRequest): boolean {
  return workflow !== undefined || sort !== undefined || (filter ?? []).length > 0;
}

/**
 * What a list prints: its rows as they are for JSON, else a table that fits the terminal, or CSV. `empty` says what to
 * do when there is nothing at all.
 */
export function listText<T>(
  all: readonly T[],
  columns: readonly ListColumn<T>[],
  request: ListRequest,
  empty: string,
  { draw, limit, order, document }: ListExtras<T> = {},
  screen: Screen = screenOf(process.stdout),
): string {
  const output = outputOf(request);
  const filters = [
    ...(request.filter ?? []),
    ...(request.workflow === undefined ? [] : [`workflow=${request.workflow}`]),
  ];
  const arranged = arrange(all, columns, { sort: request.sort ?? null, filters });
  const isNewestLast = order === 'newest_last' && request.sort === undefined;
  const rows = isNewestLast ? arranged.slice(-(limit ?? arranged.length)) : arranged.slice(0, limit);
  if (output === 'json') return JSON.stringify(document?.(rows) ?? rows, null, process.stdout.isTTY ? 2 : 0);
  if (output === 'csv') return csv(rows, columns);
  if (all.length === 0) return wrapText(empty, screen.width);
  if (rows.length === 0)
    return wrapped(
      '',
      `None of ${all.length} matches ${filters.join(' and ')}. Leave it out to see them all.`,
      screen.width,
    ).join('\n');
  const { style, width, now } = screen;
  const look: Look = {
    style,
    now,
    width,
    exact: request.exact,
    time: (iso) => (request.exact ? localTime(iso) : ago(iso, now)),
  };
  const text =
    draw !== undefined && request.output === undefined ? draw(rows, look) : listTable(rows, columns, look);
  if (rows.length === arranged.length) return text;
  return `${text}\n${style.dim(`… and more than these ${rows.length}: --limit shows them`)}`;
}

/** The rows as a table of `width` columns. */
export function listTable<T>(rows: readonly T[], columns: readonly ListColumn<T>[], look: Look): string {
  const shown = columns.filter(({ title }) => title !== undefined);
  return table(
    shown.map(({ title = '' }) => look.style.dim(title)),
    rows.map((row) =>
      shown.map(({ cell, value }) => (cell === undefined ? String(value(row) ?? '') : cell(row, look))),
    ),
    look.width,
    shown,
  );
}

function outputOf({ json, output }: ListRequest): 'table' | 'csv' | 'json' {
  if (json && output !== undefined && output !== 'json')
    throw new WorkflowError('USAGE', `--json and --output ${output} ask for different things`, {
      hint: 'Leave one of them out.',
    });
  return json ? 'json' : (output ?? 'table');
}
