import { stripVTControlCharacters } from 'node:util';
import { clipToWidth, displayWidth } from './display-width.ts';

/** Rows as aligned columns, two blanks apart; the last column takes what is left of the width. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => displayWidth(row[column] ?? ''))));
  return all
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1
          ? cell
          : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - displayWidth(cell))),
      );
      return clip(cells.join('  ').trimEnd(), width);
    })
    .join('\n');
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
