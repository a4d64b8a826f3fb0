import { clipToWidth, displayWidth } from '../text/display-width.ts';

/** Draws some lines at the bottom of a terminal again and again, in place. */
export interface Painter {
  /** Replaces the picture; writes only the lines that changed. */
  paint(lines: readonly string[]): void;
  /** Writes text above the picture, which stays there, and the picture below it. */
  printAbove(text: string, lines: readonly string[]): void;
  erase(): void;
  /** The picture stays as it is, out of reach: the next one is drawn whole, below. */
  forget(): void;
}

export interface Surface {
  readonly write: (text: string) => void;
  readonly size: () => { readonly columns: number; readonly rows: number };
  /** True where a terminal that becomes narrower breaks lines that stand on it into more rows. */
  readonly reflows: boolean;
}

/** The terminal shows all between these at once (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036). */
const BEGIN = '\u001b[?2026h';
const END = '\u001b[?2026l';
/** A terminal that has become narrower, and has not told us yet, cuts our lines: broken ones would move the rest. */
const CUT = '\u001b[?7l';
const BREAK = '\u001b[?7h';
const CLEAR_ROW = '\u001b[2K';
const CLEAR_REST = '\u001b[K';

/** The cursor rests at the start of the row below the picture. One owner at a time writes to the terminal. */
export function createPainter({ write, size, reflows }: Surface): Painter {
  let drawn: readonly string[] = [];
  let drawnColumns = 0;

  const show = (text: string): void => {
    if (text !== '') write(`${BEGIN}${CUT}${text}${BREAK}${END}`);
  };
  /** Row by row: tmux keeps a copy of what "clear to the end of the screen" takes when that is the whole screen. */
  const erasing = (): string => {
    const { columns } = size();
    const rows = drawn.reduce(
      (sum, line) => sum + (reflows ? Math.max(1, Math.ceil(displayWidth(line) / columns)) : 1),
      0,
    );
    return `\r\u001b[1A${CLEAR_ROW}`.repeat(rows);
  };
  const whole = (lines: readonly string[]): string => {
    drawn = lines;
    drawnColumns = size().columns;
    return lines.map((line) => `${line}\n`).join('');
  };
  const fitting = (lines: readonly string[]): readonly string[] => {
    const { columns, rows } = size();
    // The last column stays free: a terminal that stands on it with its next character breaks the line.
    return lines.slice(0, Math.max(1, rows - 1)).map((line) => clipToWidth(line, columns - 1));
  };

  return {
    paint: (lines) => {
      const next = fitting(lines);
      const { columns, rows } = size();
      // What a lower terminal pushed off its top cannot be reached: no row of it is where we left it.
      const isOutOfPlace = drawnColumns !== columns || drawn.length >= rows;
      if (drawn.length === 0 || isOutOfPlace) show(erasing() + whole(next));
      else {
        show(changes(drawn, next));
        drawn = next;
      }
    },
    printAbove: (text, lines) => show(`${erasing()}${BREAK}${text}\n${CUT}${whole(fitting(lines))}`),
    erase: () => {
      show(erasing());
      drawn = [];
    },
    forget: () => {
      drawn = [];
    },
  };
}

/** What turns one picture into another: to each row that differs, and back to below the last one. */
function changes(before: readonly string[], after: readonly string[]): string {
  let text = '';
  let at = before.length;
  const moveTo = (row: number): void => {
    if (row < at) text += `\r\u001b[${at - row}A`;
    else if (row > at) text += `\r\u001b[${row - at}B`;
    else text += '\r';
    at = row;
  };
  for (const [row, line] of after.entries()) {
    if (row >= before.length) {
      moveTo(row);
      text += `${line}\n`;
      at = row + 1;
    } else if (line !== before[row]) {
      moveTo(row);
      text += line + CLEAR_REST;
    }
  }
  for (let row = after.length; row < before.length; row += 1) {
    moveTo(row);
    text += CLEAR_ROW;
  }
  if (text !== '' || at !== after.length) moveTo(after.length);
  return text;
}
