import { displayWidth, splitAtWidth } from './display-width.ts';

/**
 * A text in lines of `width` columns, broken at blanks; a longer word is broken where it has to be. `label` begins the
 * first line, the others are indented as far.
 */
export function wrapped(label: string, text: string, width: number): string[] {
  const indent = displayWidth(label);
  const room = Math.max(8, width - indent);
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (displayWidth(longer) <= room) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    let rest = word;
    while (displayWidth(rest) > room) {
      const [piece, more] = splitAtWidth(rest, room);
      lines.push(piece);
      rest = more;
    }
    line = rest;
  }
  lines.push(line);
  return lines.map((each, index) => `${index === 0 ? label : ' '.repeat(indent)}${each}`.trimEnd());
}

/** The same without a character lost: broken where the line is full, what follows indented two columns further. */
export function broken(label: string, text: string, width: number): string[] {
  const indent = displayWidth(label);
  const lines: string[] = [];
  let rest = text;
  do {
    const room = Math.max(8, width - indent - (lines.length === 0 ? 0 : 2));
    const [piece, more] = splitAtWidth(rest, room);
    rest = more;
    lines.push(`${lines.length === 0 ? label : ' '.repeat(indent + 2)}${piece}`);
  } while (rest !== '');
  return lines;
}

/** A text of several lines, each wrapped for itself, what follows indented two columns further than its line. */
export function wrapText(text: string, width: number): string {
  return text
    .split('\n')
    .flatMap((line) => hanging(line, width))
    .join('\n');
}

function hanging(line: string, width: number): string[] {
  if (displayWidth(line) <= width) return [line];
  const [indent = ''] = /^ */.exec(line) ?? [];
  const [first = '', ...rest] = wrapped(indent, line.slice(indent.length), width - (indent === '' ? 0 : 2));
  return [first, ...rest.map((each) => (indent === '' ? each : `  ${each}`))];
}
