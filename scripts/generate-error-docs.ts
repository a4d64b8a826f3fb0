/** usage: sh scripts/node scripts/generate-error-docs.ts   writes docs/errors.md from src/errors/table.ts */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT_MEANINGS } from '../src/errors/exit-meanings.ts';
import { ERROR_TABLE, type ErrorRow, EXIT } from '../src/errors/table.ts';
import { packageRoot } from '../src/protocol/install.ts';

export const ERROR_DOCS = 'docs/errors.md';

/** The whole page. */
export function errorDocs(): string {
  const exits = Object.entries(EXIT).map(
    ([name, status]) => `| ${status} | ${EXIT_MEANINGS[name as keyof typeof EXIT]} |`,
  );
  const rows: [string, ErrorRow][] = Object.entries(ERROR_TABLE);
  const codes = rows.map(
    ([code, row]) =>
      `| \`${code}\` | ${row.exit} | ${row.isRetryable ? 'yes' : 'no'} | ${cell(row.meaning)} | ${cell(row.hint)} |`,
  );
  return [
    '# Errors',
    '',
    'Generated from `src/errors/table.ts` by `scripts/generate-error-docs.ts`; do not edit.',
    '',
    'Every error has a code, a message that names the thing, and a hint. With `--json` it is',
    '`{"error": {"code", "message", "step", "hint"}}` on stdout.',
    '',
    '## Exit statuses',
    '',
    '| status | meaning |',
    '| --- | --- |',
    ...exits,
    '',
    '## Codes',
    '',
    '"Again" says whether the same request may succeed later without a change by a person.',
    '',
    '| code | exit | again | meaning | what to do |',
    '| --- | --- | --- | --- | --- |',
    ...codes,
    '',
  ].join('\n');
}

/** Words in angle brackets would be taken for HTML. */
function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

if (import.meta.main) writeFileSync(join(packageRoot(), ERROR_DOCS), errorDocs());
