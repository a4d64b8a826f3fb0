import { resolve } from 'node:path';
import type { AuditProblem } from '../../audit/verify/verdict.ts';
import type { VerifyReport } from '../../audit/verify/verify.ts';
import { type Home, locateHome } from '../../protocol/home.ts';
import { plural, printable, styleFor } from '../text/style.ts';

export interface VerifyFlags {
  readonly anchor?: string | undefined;
  readonly key?: string | undefined;
  readonly from?: number | undefined;
  readonly database?: string | undefined;
}

/** Verifies the log of a home from its file: it must work where no supervisor does. */
export async function verifyHome(
  flags: VerifyFlags,
  home: Home = locateHome(),
): Promise<{ report: VerifyReport; exit: number }> {
  const { verifyAudit } = await import('../../audit/verify/verify.ts');
  const { VERDICT_EXIT } = await import('../../audit/verify/verdict.ts');
  const report = verifyAudit({
    database: flags.database === undefined ? home.database : resolve(flags.database),
    home: home.folder,
    keysFolder: home.keysFolder,
    anchor: flags.anchor === undefined ? null : resolve(flags.anchor),
    key: flags.key ?? null,
    from: flags.from ?? 1,
    env: process.env,
  });
  return { report, exit: VERDICT_EXIT[report.verdict] };
}

export function verifyText(report: VerifyReport, style = styleFor(process.stdout)): string {
  const { verdict, records, first_seq, last_seq, signed_through, anchor, problems, problem_count } = report;
  const head = {
    intact: style.green('intact'),
    tampered: style.red('tampered'),
    unknown: style.yellow('cannot tell'),
  }[verdict];
  const range = records === 0 ? 'no records' : `${plural(records, 'record')} (${first_seq} to ${last_seq})`;
  const lines = [
    `${style.bold(head)}: ${range}, signed up to ${signed_through}, anchored up to ${anchor.through}`,
    `  database  ${report.database}`,
    `  anchor    ${anchor.file ?? 'none'}${anchor.found ? '' : ' (not there)'}`,
    `  key       ${report.key ?? 'none'}`,
    ...problems.slice(0, 20).map((problem) => `  ${style.red('!')} ${problemLine(problem)}`),
  ];
  if (problem_count > 20) lines.push(`  … and ${problem_count - 20} more`);
  for (const doubt of report.doubts) lines.push(`  ${style.yellow('?')} ${printable(doubt)}`);
  for (const note of report.notes) lines.push(`  ${style.dim(printable(note))}`);
  return lines.join('\n');
}

function problemLine({ kind, message }: AuditProblem): string {
  return printable(`${kind}: ${message}`);
}
