import type { Fields } from './fields.ts';
import { looksLikeShell, splitCommand } from './split-command.ts';

export interface CommandLine {
  readonly command: string | null;
  readonly args: readonly string[];
}

/**
 * `command` and `args` of a code skill. Without `args`, a command with blanks is split into argv; with `args` it is
 * one word, blanks and all. No shell is involved either way.
 */
export function readCommandLine(fields: Fields, args: readonly string[] | null): CommandLine {
  const text = fields.string('command');
  if (text === null || text.trim() === '') {
    if (text !== null || !fields.has('command'))
      fields.notes.error(fields.at('command'), 'is missing or blank');
    return { command: null, args: [] };
  }
  if (args !== null || !/[\s'"\\]/.test(text)) return { command: text, args: args ?? [] };
  const line = singleBraces(text);
  if (line !== text) fields.notes.rewritten(fields.at('command'), 'places {{name}} are read as {name}');
  const split = splitCommand(line);
  if (!split.isSplit) {
    fields.notes.error(fields.at('command'), split.reason);
    return { command: null, args: [] };
  }
  const [command = text, ...rest] = split.words;
  fields.notes.rewritten(
    fields.at('command'),
    `was split into argv ${JSON.stringify(split.words)}; no shell is used`,
  );
  if (looksLikeShell(split.words)) {
    fields.notes.warn(
      fields.at('command'),
      'has shell operators, which are passed as plain arguments; use command "sh" with args ["-c", "…"]',
    );
  }
  return { command, args: rest };
}

/** `{{p}}` to `{p}` in an argument or template. */
export function singleBraces(text: string): string {
  return text.replaceAll(/\{\{\s*([A-Za-z_][\w-]*)\s*\}\}/g, '{$1}');
}

/** The same for a list, with a note when anything changed. */
export function rewriteBraces(words: readonly string[], path: string, fields: Fields): string[] {
  const changed = words.map(singleBraces);
  if (changed.some((word, index) => word !== words[index])) {
    fields.notes.rewritten(path, 'places {{name}} are read as {name}');
  }
  return changed;
}
