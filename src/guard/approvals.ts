/** What becomes of a call that needs a person. Pure: rows and the time are passed in. */
import type { JsonObject } from '../definition/workflow.ts';
import type { PermitRequest } from '../protocol/instance-link.ts';
import type { ApprovalRequest, ApprovalRow, NewApproval } from '../store/tables/approval-rows.ts';
import type { ApprovalMode } from '../store/tables/instance-rows.ts';
import type { ApprovalFile } from './policy/files/policy-file.ts';

/** How long a call waits where no rule says it, s. */
export const APPROVAL_TIMEOUT_S = 900;
/** Whoever may use the supervisor. */
const OPERATOR = 'operator';

export type ApprovalAnswer =
  | { readonly kind: 'approved'; readonly row: ApprovalRow }
  | { readonly kind: 'refused'; readonly row: ApprovalRow | null; readonly reason: string }
  /** Nobody has decided, and the time is over now. */
  | { readonly kind: 'expired'; readonly row: ApprovalRow; readonly reason: string }
  | { readonly kind: 'wait'; readonly number: number; readonly until: number }
  | { readonly kind: 'ask'; readonly approval: NewApproval };

export interface ApprovalQuestion {
  readonly request: PermitRequest;
  readonly args: JsonObject;
  readonly argsHash: string;
  readonly rules: readonly string[];
  readonly reason: string;
  /** Of the rules, or the step, that want it: who may decide and for how long it waits. */
  readonly approvals: readonly ApprovalFile[];
  /** What the call would be given of the network. */
  readonly network: NonNullable<ApprovalRequest['network']>;
}

/** What may ask again for the same answer: after a crash too, but no other attempt, no other call and nothing else. */
export function approvalSubject({ kind, path, attempt, agent, subject }: PermitRequest): string {
  return JSON.stringify([kind, path, attempt, subject, agent?.call ?? agent?.iteration ?? null]);
}

/** The newest approval of exactly this call, arguments included, that still counts; null when none was asked for. */
export function approvalOf(
  { request, argsHash }: Pick<ApprovalQuestion, 'request' | 'argsHash'>,
  rows: readonly ApprovalRow[],
): ApprovalRow | null {
  const subject = approvalSubject(request);
  const fits = (row: ApprovalRow): boolean =>
    row.subject === subject && row.argsHash === argsHash && row.voidAt === null;
  return rows.findLast(fits) ?? null;
}

/**
 * Finds what was decided about exactly this call, arguments included, or what to ask. `rows` are all approvals of the
 * run. Where nobody can be asked it is refused.
 */
export function answerApproval(
  question: ApprovalQuestion,
  rows: readonly ApprovalRow[],
  mode: ApprovalMode,
  now: number,
): ApprovalAnswer {
  const row = approvalOf(question, rows);
  if (row !== null) return answerOf(row, now);
  const isNamed =
    question.request.kind === 'approval' || question.approvals.some(({ by }) => by !== undefined);
  if (mode === 'deny' || (mode === 'named' && !isNamed))
    return {
      kind: 'refused',
      row: null,
      reason: `${question.reason}; it needs a person's approval, and nobody can be asked`,
    };
  return { kind: 'ask', approval: newApproval(question, (rows.at(-1)?.number ?? 0) + 1, now) };
}

/** True when each list of names has this person, or lets every operator decide. */
export function mayDecide(by: ApprovalRequest['by'], person: string): boolean {
  return by.every((names) => names.includes(OPERATOR) || names.includes(person));
}

function answerOf(row: ApprovalRow, now: number): ApprovalAnswer {
  const because = row.reason === null ? '' : `: ${row.reason}`;
  switch (row.status) {
    case 'approved':
      return { kind: 'approved', row };
    case 'denied':
      return { kind: 'refused', row, reason: `${row.decidedBy ?? 'a person'} denied it${because}` };
    case 'expired':
    case 'withdrawn':
      return { kind: 'refused', row, reason: lateReason(row) };
    case 'pending':
      return now < row.expiresAt
        ? { kind: 'wait', number: row.number, until: row.expiresAt }
        : { kind: 'expired', row, reason: lateReason(row) };
  }
}

function lateReason({ requestedAt, expiresAt }: ApprovalRow): string {
  return `nobody approved it within ${Math.round((expiresAt - requestedAt) / 1000)} s`;
}

function newApproval(
  { request, args, argsHash, rules, reason, approvals, network }: ApprovalQuestion,
  number: number,
  now: number,
): NewApproval {
  const { kind, path, attempt, agent, agentName } = request;
  const seconds = Math.min(
    ...(approvals.length === 0 ? [{}] : approvals).map(
      ({ timeout_s: s = APPROVAL_TIMEOUT_S }: ApprovalFile) => s,
    ),
  );
  return {
    number,
    subject: approvalSubject(request),
    argsHash,
    request: {
      kind,
      path,
      attempt,
      call: agent?.call ?? null,
      what: agent?.tool ?? request.subject,
      agent: agentName,
      args,
      rules,
      reason,
      by: approvals.flatMap(({ by }) => (by === undefined ? [] : [by])),
      ...(network.length === 0 ? {} : { network }),
    },
    requestedAt: now,
    expiresAt: now + Math.round(seconds * 1000),
  };
}
