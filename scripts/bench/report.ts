/** How the results are shown. */
import { cpus } from 'node:os';
import { type Result, ratioOf, verdict } from './measure.ts';

export function resultsTable(results: readonly Result[]): string {
  const rows = [['measure', 'value', 'floor', 'ratio', 'bar', ''], ...results.map(row)];
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows
    .map((cells) =>
      cells
        .map((cell, column) =>
          column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function row(result: Result): string[] {
  const ratio = ratioOf(result);
  const { bar, unit } = result;
  return [
    result.name,
    `${amount(result.value)} ${unit}`,
    result.floor === null ? '-' : `${amount(result.floor)} ${unit}`,
    ratio === null ? '-' : `${ratio.toFixed(2)}x`,
    bar === null
      ? '-'
      : { ratio: `${bar.atMost}x`, value: `${bar.atMost} ${unit}`, difference: `+${bar.atMost} ${unit}` }[
          bar.of
        ],
    verdict(result),
  ];
}

function amount(value: number): string {
  return value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0);
}

export function resultsDocument(results: readonly Result[]): object {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: cpus().length,
    at: new Date().toISOString(),
    results: results.map((result) => ({
      ...result,
      ratio: ratioOf(result),
      verdict: verdict(result) || null,
    })),
  };
}
