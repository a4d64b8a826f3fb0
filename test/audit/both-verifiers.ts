/** What both verifiers find in a database without an anchor. */
import { execFileSync } from 'node:child_process';
import { dirname, join } from 'node:path';
import { type VerifyReport, verifyAudit } from '../../src/audit/verify/verify.ts';
import { ROOT } from '../setup/bench-home.ts';

type Problems = VerifyReport['problems'];

export function problemsOf(database: string): { readonly ours: Problems; readonly alone: Problems } {
  const home = dirname(database);
  const keysFolder = join(home, 'keys');
  const anchor = join(home, 'none');
  const { problems } = verifyAudit({ database, home, keysFolder, anchor, key: null, from: 1, env: {} });
  return { ours: problems, alone: alone(database) };
}

/** It exits by 3, as there is no anchor, or by 2. */
function alone(database: string): Problems {
  const script = join(ROOT, 'scripts', 'verify-audit.mjs');
  const command = '"$0" --no-warnings "$1" "$2" --json || test $? -gt 1';
  const text = execFileSync('sh', ['-c', command, process.execPath, script, database], { encoding: 'utf8' });
  return (JSON.parse(text) as VerifyReport).problems;
}
