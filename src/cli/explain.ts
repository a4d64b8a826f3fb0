import { EXIT_MEANINGS } from '../errors/exit-meanings.ts';
import { nearest } from '../errors/nearest.ts';
import { ERROR_TABLE, type ErrorRow, EXIT, type ExitStatus } from '../errors/table.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Screen } from './text/screen.ts';
import { table } from './text/table.ts';
import { wrapped } from './text/wrap.ts';

/** An error code, as `explain --json` prints it. */
export interface CodeDocument {
  readonly code: string;
  readonly meaning: string;
  readonly exit_status: ExitStatus;
  readonly exit_meaning: string;
  readonly is_retryable: boolean;
  readonly hint: string;
  readonly docs: string;
}

const ROWS: Readonly<Record<string, ErrorRow>> = ERROR_TABLE;

/**
 * What is known of a code (in any case), of all codes with an exit status, or without a word of all. Throws USAGE for
 * what is neither, with the nearest code.
 */
export function explain(word: string | null): readonly CodeDocument[] {
  if (word === null) return Object.keys(ROWS).map(documentOf);
  if (/^\d+$/.test(word)) return codesWith(Number(word));
  const code = word.toUpperCase().replaceAll('-', '_');
  if (Object.hasOwn(ROWS, code)) return [documentOf(code)];
  const meant = nearest(code, Object.keys(ROWS)) ?? Object.keys(ROWS).find((known) => known.startsWith(code));
  throw new WorkflowError('USAGE', `"${word}" is no error code`, {
    hint:
      meant === undefined
        ? 'Run q workflow explain to see them all.'
        : `Did you mean q workflow explain ${meant}?`,
  });
}

/** One code at length, several as a table. */
export function explainText(codes: readonly CodeDocument[], { style, width }: Screen): string {
  const [only] = codes;
  if (codes.length !== 1 || only === undefined)
    return table(
      ['CODE', 'EXIT', 'MEANING'].map(style.dim),
      codes.map(({ code, exit_status: exit, meaning }) => [code, String(exit), meaning]),
      width,
    );
  return [
    style.bold(only.code),
    ...wrapped('  ', only.meaning, width),
    '',
    ...wrapped('  what to do    ', only.hint, width),
    ...wrapped('  exit status   ', `${only.exit_status}: ${only.exit_meaning}`, width),
    ...wrapped(
      '  again         ',
      only.is_retryable
        ? 'the same may succeed later without a change'
        : 'the same fails again until something is changed',
      width,
    ),
    `  docs          ${only.docs}`,
  ].join('\n');
}

function codesWith(exit: number): readonly CodeDocument[] {
  const found = Object.keys(ROWS).filter((code) => ROWS[code]?.exit === exit);
  if (found.length > 0) return found.map(documentOf);
  const known = [...new Set(Object.values(ROWS).map((row) => row.exit))].sort((a, b) => a - b);
  throw new WorkflowError('USAGE', `no error has the exit status ${exit}`, {
    hint: `There are ${known.join(', ')}.`,
  });
}

function documentOf(code: string): CodeDocument {
  const { exit, isRetryable, meaning, hint } = ROWS[code] ?? ERROR_TABLE.INTERNAL;
  const name = (Object.keys(EXIT) as (keyof typeof EXIT)[]).find((key) => EXIT[key] === exit) ?? 'BUG';
  return {
    code,
    meaning,
    exit_status: exit,
    exit_meaning: EXIT_MEANINGS[name],
    is_retryable: isRetryable,
    hint,
    docs: 'docs/errors.md',
  };
}
