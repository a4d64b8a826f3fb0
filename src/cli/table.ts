import { stripVTControlCharacters } from 'node:util';
import { clipToWidth, displayWidth } from './display-width.ts';

/** A column that is made narrower keeps so much. */
const MIN_COLUMN = 8;
const GAP = 2;

/**
 * Rows as aligned columns, two blanks apart; the last column takes what is left of the width. Where the others leave
 * it nothing, the widest of them are cut, so that each column shows something.
 */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const all = [header, ...rows];
  const widths = fitted(
    header.map((_, column) => widest(all.map((row) => row[column] ?? ''))),
    width,
  );
  return all
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1 ? cell : padded(cell, widths[column] ?? 0),
      );
      return clip(cells.join('  ').trimEnd(), width);
    })
    .join('\n');
}

/** Not by spreading into Math.max: a list may be longer than a call takes arguments. */
function widest(cells: readonly string[]): number {
  return cells.reduce((most, cell) => Math.max(most, displayWidth(cell)), 0);
}

function fitted(wanted: readonly number[], width: number): readonly number[] {
  const widths = [...wanted];
  const last = widths.length - 1;
  const needed = (): number =>
    widths.reduce(
      (sum, each, column) => sum + (column === last ? Math.min(each, MIN_COLUMN) : each),
      GAP * last,
    );
  while (needed() > width) {
    const most = Math.max(...widths.slice(0, last));
    if (!(most > MIN_COLUMN)) break;
    widths[widths.indexOf(most)] = most - 1;
  }
  return widths;
}

function padded(cell: string, width: number): string {
  const fitting = clip(cell, width);
  return fitting + ' '.repeat(Math.max(0, width - displayWidth(fitting)));
}

function clip(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  // Cutting a coloured line in the middle would leave the colour on: the cut line goes plain.
  return `${clipToWidth(stripVTControlCharacters(line), Math.max(1, width - 1))}…`;
}

/** Columns of the terminal, or no bound where the output is not one. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
}
