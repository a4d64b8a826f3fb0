const BARS = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/**
 * Values over time in `width` columns at most, oldest first, drawn against `top` (what is above it is full). Several
 * values in one column show their highest: a peak must stay visible.
 */
export function sparkline(values: readonly number[], top: number, width: number): string {
  const columns = Math.min(width, values.length);
  let line = '';
  for (let column = 0; column < columns; column += 1) {
    const from = Math.floor((column * values.length) / columns);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / columns));
    const share = top <= 0 ? 0 : Math.max(...values.slice(from, to)) / top;
    line += BARS[Math.max(0, Math.min(BARS.length - 1, Math.ceil(share * BARS.length) - 1))];
  }
  return line;
}
