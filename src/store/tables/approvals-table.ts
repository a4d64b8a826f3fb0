import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { APPROVAL_COLUMNS, rowHash } from '../../audit/binds.ts';
import type {
  ApprovalChanges,
  ApprovalOperations,
  ApprovalReads,
  ApprovalRequest,
  ApprovalRow,
  ApprovalStatus,
} from './approval-rows.ts';

/** What waits, or waited, for a person. */
export interface ApprovalsTable {
  change(instance: string, changes: ApprovalChanges): void;
  /** What ties a record to what was asked. */
  hash(instance: string, number: number): string;
  /** False when it is not pending, or its time is over. */
  decide(args: Omit<ApprovalOperations['approval.decide'][0], 'audit'>): boolean;
  /** The run has ended: answers what was pending, which is withdrawn. */
  withdraw(instance: string, at: number): ApprovalRow[];
  /** The run is opened again: what was decided before counts no more. */
  void(instance: string, at: number): void;
  list(args: ApprovalReads['approval.list'][0]): ApprovalRow[];
}

export function openApprovalsTable(database: DatabaseSync): ApprovalsTable {
  const insert = database.prepare(
    `INSERT INTO approvals (instance, number, subject, args_hash, request, requested_at, expires_at, status)
     VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')`,
  );
  const expire = database.prepare(
    `UPDATE approvals SET status = 'expired', decided_at = ? WHERE instance = ? AND number = ? AND status = 'pending'`,
  );
  const answer = database.prepare(
    'UPDATE approvals SET answered_at = coalesce(answered_at, ?) WHERE instance = ? AND number = ?',
  );
  const decide = database.prepare(
    `UPDATE approvals SET status = ?1, decided_at = ?2, decided_by = ?3, reason = ?4
     WHERE instance = ?5 AND number = ?6 AND status = 'pending' AND expires_at > ?2`,
  );
  const withdrawOne = database.prepare(
    `UPDATE approvals SET status = 'withdrawn', decided_at = ? WHERE instance = ? AND number = ? AND status = 'pending'`,
  );
  const withdraw = database.prepare(
    `UPDATE approvals SET status = 'withdrawn', decided_at = ? WHERE instance = ? AND status = 'pending'`,
  );
  const cancel = database.prepare('UPDATE approvals SET void_at = ? WHERE instance = ? AND void_at IS NULL');
  const columns = 'SELECT * FROM approvals';
  const one = database.prepare(`${columns} WHERE instance = ? AND number = ?`);
  const ofOne = database.prepare(`${columns} WHERE instance = ? ORDER BY number LIMIT ?`);
  const pendingOfOne = database.prepare(
    `${columns} WHERE instance = ? AND status = 'pending' ORDER BY number LIMIT ?`,
  );
  const all = database.prepare(`${columns} ORDER BY requested_at, instance, number LIMIT ?`);
  const pending = database.prepare(
    `${columns} WHERE status = 'pending' ORDER BY requested_at, instance, number LIMIT ?`,
  );
  return {
    change: (instance, { requested, expired, answered, withdrawn, at }) => {
      for (const { number, subject, argsHash, request, requestedAt, expiresAt } of requested)
        insert.run(instance, number, subject, argsHash, JSON.stringify(request), requestedAt, expiresAt);
      for (const number of expired) expire.run(at, instance, number);
      for (const number of withdrawn) withdrawOne.run(at, instance, number);
      for (const number of answered) answer.run(at, instance, number);
    },
    hash: (instance, number) => rowHash(one.get(instance, number) ?? {}, APPROVAL_COLUMNS),
    decide: ({ instance, number, status, by, reason, at }) =>
      Number(decide.run(status, at, by, reason, instance, number).changes) === 1,
    withdraw: (instance, at) => {
      const rows = pendingOfOne.all(instance, -1).map(toApproval);
      if (rows.length > 0) withdraw.run(at, instance);
      return rows;
    },
    void: (instance, at) => {
      cancel.run(at, instance);
    },
    list: ({ instance, isPendingOnly, limit }) => {
      if (instance === null) return (isPendingOnly ? pending : all).all(limit).map(toApproval);
      return (isPendingOnly ? pendingOfOne : ofOne).all(instance, limit).map(toApproval);
    },
  };
}

function toApproval(row: Record<string, SQLOutputValue>): ApprovalRow {
  const time = (name: string): number | null => (row[name] === null ? null : Number(row[name]));
  const text = (name: string): string | null => (row[name] === null ? null : String(row[name]));
  return {
    instance: String(row['instance']),
    number: Number(row['number']),
    subject: String(row['subject']),
    argsHash: String(row['args_hash']),
    // Only this table's own statements write these two, from values of those types.
    request: JSON.parse(String(row['request'])) as ApprovalRequest,
    status: String(row['status']) as ApprovalStatus,
    requestedAt: Number(row['requested_at']),
    expiresAt: Number(row['expires_at']),
    decidedAt: time('decided_at'),
    decidedBy: text('decided_by'),
    reason: text('reason'),
    answeredAt: time('answered_at'),
    voidAt: time('void_at'),
  };
}
