import { cutToWidth, displayWidth } from './display-width.ts';

/** A column that is made narrower keeps so much. */
const MIN_COLUMN = 8;
const GAP = 2;

/** What is special about a column. */
export interface ColumnForm {
  /** Of no use when it is cut, such as an exact time: others are made narrower as long as there are any. */
  readonly isWhole?: boolean | undefined;
  readonly align?: 'right' | undefined;
}

/**
 * Rows as aligned columns, two blanks apart; the last column takes what is left of the width. Where the others leave
 * it nothing, the widest of them are cut, so that each column shows something.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
  forms: readonly ColumnForm[] = [],
): string {
  const all = [header, ...rows];
  const widths = fitted(
    header.map((_, column) => widest(all.map((row) => row[column] ?? ''))),
    width,
    forms,
  );
  return all
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1 ? cell : padded(cell, widths[column] ?? 0, forms[column]?.align),
      );
      return cutToWidth(cells.join('  ').trimEnd(), width);
    })
    .join('\n');
}

/** Not by spreading into Math.max: a list may be longer than a call takes arguments. */
function widest(cells: readonly string[]): number {
  return cells.reduce((most, cell) => Math.max(most, displayWidth(cell)), 0);
}

function fitted(wanted: readonly number[], width: number, forms: readonly ColumnForm[]): readonly number[] {
  const widths = [...wanted];
  const last = widths.length - 1;
  const needed = (): number =>
    widths.reduce(
      (sum, each, column) => sum + (column === last ? Math.min(each, MIN_COLUMN) : each),
      GAP * last,
    );
  const widestOf = (columns: readonly number[]): number =>
    columns.reduce(
      (most, column) => ((widths[column] ?? 0) > (widths[most] ?? 0) ? column : most),
      columns[0] ?? 0,
    );
  const cuttable = Array.from({ length: last }, (_, column) => column);
  for (const columns of [cuttable.filter((column) => forms[column]?.isWhole !== true), cuttable])
    while (columns.length > 0 && needed() > width) {
      const most = widestOf(columns);
      const columnsLeft = widths[most] ?? 0;
      if (!(columnsLeft > MIN_COLUMN)) break;
      widths[most] = columnsLeft - 1;
    }
  return widths;
}

function padded(cell: string, width: number, align: ColumnForm['align']): string {
  const fitting = cutToWidth(cell, width);
  const fill = ' '.repeat(Math.max(0, width - displayWidth(fitting)));
  return align === 'right' ? fill + fitting : fitting + fill;
}

/** Columns of the terminal, or no bound where the output is not one. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
}
