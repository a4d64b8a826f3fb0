/** A small terminal: it understands what a picture is drawn with, and throws at everything else. */
import { displayWidth } from '../../src/cli/text/display-width.ts';

export interface VirtualScreen {
  write(text: string): void;
  /** The rows from the top, without trailing blanks and empty rows at the end. */
  rows(): readonly string[];
  /** Breaks what is too wide into rows, as most terminals do. */
  resize(columns: number): void;
  readonly columns: number;
}

const TOKENS = /\u001b\[\?(?:2026|7)[hl]|\u001b\[(\d*)([A-Zm])|\u001b\[[\d;]*m|\r|\n|[^\r\n\u001b]+|./gsu;

export function virtualScreen(columns: number): VirtualScreen {
  // Each line is one that was ended by a newline; it may take several rows.
  const lines: string[] = [''];
  let width = columns;
  let row = 0;
  let column = 0;
  let isCutting = false;

  const layout = (): { line: number; from: number }[] =>
    lines.flatMap((text, line) =>
      Array.from({ length: Math.max(1, Math.ceil(displayWidth(text) / width)) }, (_, part) => ({
        line,
        from: part * width,
      })),
    );
  const lineAt = (at: number): { line: number; from: number } => {
    while (layout().length <= at) lines.push('');
    const found = layout()[at];
    if (found === undefined) throw new Error(`no row ${at}`);
    return found;
  };
  /** A row that is written to, or cleared, stands for itself from then on. */
  const part = (at: number): number => {
    const { line } = lineAt(at);
    const text = lines[line] ?? '';
    const pieces = text.match(new RegExp(`.{1,${width}}`, 'gsu')) ?? [''];
    lines.splice(line, 1, ...pieces);
    return lineAt(at).line;
  };

  return {
    get columns() {
      return width;
    },
    write: (text) => {
      for (const [token, count, final] of text.matchAll(TOKENS)) {
        const times = Number(count === undefined || count === '' ? 1 : count);
        if (token === '\u001b[?7l' || token === '\u001b[?7h') isCutting = token.endsWith('l');
        else if (token === '\r') column = 0;
        else if (token === '\n') {
          row += 1;
          column = 0;
          lineAt(row);
        } else if (final === 'A') row = Math.max(0, row - times);
        else if (final === 'B') {
          row += times;
          lineAt(row);
        } else if (final === 'K') {
          const line = part(row);
          lines[line] = count === '2' ? '' : (lines[line] ?? '').slice(0, column);
        } else if (final === 'm' || token.startsWith('\u001b[?2026') || /^\u001b\[[\d;]*m$/.test(token))
          continue;
        else if (token.startsWith('\u001b'))
          throw new Error(`a sequence that is not known: ${JSON.stringify(token)}`);
        else {
          const fitting = isCutting ? token.slice(0, width - column) : token;
          if (column + displayWidth(fitting) > width)
            throw new Error(`wider than ${width} columns: ${token}`);
          const line = part(row);
          const before = (lines[line] ?? '').padEnd(column);
          lines[line] = before.slice(0, column) + fitting + before.slice(column + fitting.length);
          column += fitting.length;
        }
      }
    },
    resize: (next) => {
      const { line } = lineAt(row);
      width = next;
      row = layout().findIndex((each) => each.line === line);
    },
    rows: () => {
      const rows = layout().map(({ line, from }) => (lines[line] ?? '').slice(from, from + width).trimEnd());
      while (rows.at(-1) === '') rows.pop();
      return rows;
    },
  };
}
