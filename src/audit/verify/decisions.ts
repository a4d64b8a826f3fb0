import { APPROVAL_COLUMNS, rowHash } from '../binds.ts';
import type { Told, ToldApproval, ToldEnd } from '../told.ts';
import type { RowReader } from './rows.ts';
import type { Findings } from './verdict.ts';

type Row = Readonly<Record<string, unknown>>;

/** Approvals and kill switches against the records of them: one that nobody gave, one that nobody armed again. */
export function checkDecisions(database: RowReader, told: Told, findings: Findings): void {
  // An older database has none of these.
  const has = (table: string): boolean =>
    database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(table) !==
    undefined;
  if (has('approvals')) checkApprovals(database, told, findings);
  if (has('kill_latches')) checkLatches(database, told, findings);
}

function checkApprovals(database: RowReader, told: Told, findings: Findings): void {
  const seen = new Set<string>();
  for (const row of database.prepare('SELECT * FROM approvals ORDER BY instance, number').iterate()) {
    const key = `${String(row['instance'])} ${String(row['number'])}`;
    seen.add(key);
    const says = told.approvals.get(key);
    const isUntold = !told.isWhole || told.untold.has(String(row['instance']));
    if (says === undefined && isUntold) continue;
    const fault = says === undefined ? 'no record speaks of it' : approvalFault(row, says, isUntold);
    if (fault === null) continue;
    const message = `approval ${String(row['number'])} of instance ${String(row['instance'])} was changed: ${fault}`;
    findings.add({
      kind: 'state_mismatch',
      seq: says?.record ?? null,
      instance: String(row['instance']),
      message,
    });
  }
  for (const [key, { record }] of told.approvals) {
    if (seen.has(key)) continue;
    const [instance = '', number = ''] = key.split(' ');
    const message = `approval ${number} of instance ${instance} is gone`;
    findings.add({ kind: 'state_mismatch', seq: record, instance, message });
  }
}

function approvalFault(
  row: Row,
  { argsHash, asked, isVoid, expiresAt, ends }: ToldApproval,
  isUntold: boolean,
): string | null {
  if (argsHash !== null && row['args_hash'] !== argsHash)
    return 'its arguments are not those that were asked for';
  if (expiresAt !== null && row['expires_at'] !== Date.parse(expiresAt))
    return 'its time is not that of its record';
  if (typeof asked === 'string' && rowHash(row, APPROVAL_COLUMNS) !== asked)
    return 'it is not what was asked for';
  if (isVoid !== undefined && (row['void_at'] !== null) !== isVoid)
    return isVoid ? 'it counts no more, as the run was opened again' : 'nobody opened the run again';
  const { status } = row as { status: unknown };
  if (ends.length === 0) {
    const isOpen = status === 'pending' && row['decided_at'] === null && row['decided_by'] === null;
    if ((isOpen && row['reason'] === null) || isUntold) return null;
    return `no record says that it is ${String(status)}`;
  }
  return ends.some((end) => isAsTold(row, end))
    ? null
    : `it is ${String(status)} by ${JSON.stringify(row['decided_by'])}, and its records say otherwise`;
}

function isAsTold(row: Row, { status, by, at, reason }: ToldEnd): boolean {
  if (status !== row['status']) return false;
  // What older versions left of pruned records says less.
  if (reason === undefined && by === null) return true;
  const isSaid = reason === undefined || reason === row['reason'];
  return isSaid && by === row['decided_by'] && at === row['decided_at'];
}

function checkLatches(database: RowReader, { latches, isWhole }: Told, findings: Findings): void {
  const seen = new Set<string>();
  for (const row of database.prepare('SELECT * FROM kill_latches ORDER BY scope').iterate()) {
    const scope = String(row['scope']);
    seen.add(scope);
    const says = latches.get(scope);
    const isTold =
      says?.trips.some(
        ([mode, reason, by, at]) =>
          mode === row['mode'] && reason === row['reason'] && by === row['tripped_by'] && at === row['at'],
      ) ?? !isWhole;
    if (isTold) continue;
    const message = `the kill switch ${scope} is not as any record says`;
    findings.add({ kind: 'state_mismatch', seq: says?.record ?? null, message });
  }
  for (const [scope, { isTripped, record }] of latches)
    if (isTripped && !seen.has(scope)) {
      const message = `the kill switch ${scope} is gone, and no record says that it was armed again`;
      findings.add({ kind: 'state_mismatch', seq: record, message });
    }
}
