/** Rows as aligned columns, two blanks apart; the last column takes what is left of the width. */
export function table(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): string {
  const all = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...all.map((row) => visible(row[column] ?? '').length)));
  return all
    .map((row) => {
      const cells = row.map((cell, column) =>
        column === row.length - 1
          ? cell
          : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - visible(cell).length)),
      );
      return clip(cells.join('  ').trimEnd(), width);
    })
    .join('\n');
}

function visible(text: string): string {
  return text.replace(/\u001b\[[0-9;]*m/g, '');
}

function clip(line: string, width: number): string {
  const plainLine = visible(line);
  if (plainLine.length <= width) return line;
  // Cutting a coloured line in the middle would leave the colour on: the cut line goes plain.
  return `${plainLine.slice(0, Math.max(1, width - 1))}…`;
}

/** Columns of the terminal, or no bound where the output is not one. */
export function widthOf(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY;
}
