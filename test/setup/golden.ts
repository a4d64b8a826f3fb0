/** Texts that are kept in files: a screen that changes shows in the diff of a change. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { displayWidth } from '../../src/cli/text/display-width.ts';
import type { Screen } from '../../src/cli/text/screen.ts';
import { COLOURED, PLAIN } from '../../src/cli/text/style.ts';
import { ROOT } from './bench-home.ts';

/** Noon of the first of March 2026, UTC: now, in every golden file. */
export const NOON = Date.parse('2026-03-01T12:00:00.000Z');

/** Throws with the lines that differ; `UPDATE_GOLDEN=1` writes the file instead. */
export function assertGolden(file: string, text: string): void {
  if (process.env['UPDATE_GOLDEN'] === '1') {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return;
  }
  const name = relative(ROOT, file);
  assert.ok(existsSync(file), `there is no ${name}: write it with UPDATE_GOLDEN=1`);
  const expected = readFileSync(file, 'utf8');
  if (text !== expected)
    assert.fail(`${name} differs; UPDATE_GOLDEN=1 writes it anew\n${lineDiff(expected, text)}`);
}

/** The lines from the first to the last that differ, with what stands around them. */
export function lineDiff(expected: string, actual: string): string {
  const [before, after] = [expected.split('\n'), actual.split('\n')];
  let start = 0;
  while (start < before.length && before[start] === after[start]) start += 1;
  let end = 0;
  while (end < Math.min(before.length, after.length) - start && before.at(-1 - end) === after.at(-1 - end))
    end += 1;
  const context = before.slice(Math.max(0, start - 2), start).map((line) => `  ${line}`);
  return [
    `line ${start + 1}:`,
    ...context,
    ...before.slice(start, before.length - end).map((line) => `- ${line}`),
    ...after.slice(start, after.length - end).map((line) => `+ ${line}`),
  ].join('\n');
}

export interface ScreenOptions {
  /** Lines of others, such as those of a log, are not cut. */
  readonly isUnbounded?: boolean;
}

/**
 * A screen at 80 and 200 columns, in colour (escapes are shown as `␛`) and in a pipe. No line of it may be wider than the
 * terminal or end with blanks, and colours change nothing else.
 */
export function screenText(draw: (screen: Screen) => string, options: ScreenOptions = {}): string {
  const drawn = (width: number, style = PLAIN): string => {
    const text = draw({ style, width, now: NOON });
    for (const line of stripVTControlCharacters(text).split('\n')) {
      assert.equal(line, line.trimEnd(), `a line ends with blanks: ${JSON.stringify(line)}`);
      if (options.isUnbounded !== true)
        assert.ok(
          displayWidth(line) <= width,
          `a line of ${displayWidth(line)} columns on ${width}: ${line}`,
        );
    }
    return text;
  };
  const narrow = drawn(80);
  const coloured = drawn(80, COLOURED);
  assert.equal(stripVTControlCharacters(coloured), narrow, 'colours change the text');
  // Not kept, but they have to be whole too.
  drawn(60);
  drawn(40);
  const parts: [string, string][] = [
    ['80 columns, NO_COLOR', narrow],
    ['200 columns, NO_COLOR', drawn(200)],
    ['80 columns, coloured', coloured.replaceAll('\u001b', '␛')],
    ['in a pipe', drawn(Number.POSITIVE_INFINITY)],
  ];
  return parts
    .map(([title, text], index) => {
      const same = parts.slice(0, index).find(([, other]) => other === text);
      return `=== ${title}\n${same === undefined ? text : `(as ${same[0]})`}\n`;
    })
    .join('\n');
}
