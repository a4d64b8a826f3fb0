/** The approvals of one live run, as its commits left them. Pure: each change answers a new list. */
import type { RunEvent } from '../../engine/events.ts';
import type { StepRow } from '../../engine/projection-rows.ts';
import type { BootApproval } from '../../protocol/instance-link.ts';
import type { ApprovalChanges, ApprovalRow } from '../../store/tables/approval-rows.ts';

/** An interrupted attempt is none of them: a new process takes it up, and asks for the same. */
const ENDS: ReadonlySet<RunEvent['type']> = new Set([
  'attempt.failed',
  'step.completed',
  'step.failed',
  'step.skipped',
  'step.cancelled',
]);

const UNDECIDED = { decidedAt: null, decidedBy: null, reason: null, answeredAt: null, voidAt: null };

/** What a batch of permits makes of them; as the table does. */
export function applyChanges(
  rows: readonly ApprovalRow[],
  instance: string,
  { requested, expired, answered, withdrawn, at }: ApprovalChanges,
): ApprovalRow[] {
  const added = requested.map(
    (approval): ApprovalRow => ({ ...approval, instance, status: 'pending', ...UNDECIDED }),
  );
  return [...rows, ...added].map((row) => ({
    ...row,
    ...(expired.includes(row.number) && row.status === 'pending' ? { status: 'expired', decidedAt: at } : {}),
    ...(withdrawn.includes(row.number) && row.status === 'pending'
      ? { status: 'withdrawn', decidedAt: at }
      : {}),
    ...(answered.includes(row.number) ? { answeredAt: row.answeredAt ?? at } : {}),
  }));
}

/** The numbers of those that are pending although the event ended what asked: the call, or the attempt of its step. */
export function overtaken(rows: readonly ApprovalRow[], event: RunEvent): number[] {
  return rows
    .filter(({ status, voidAt, request }) => {
      if (status !== 'pending' || voidAt !== null || !('path' in event) || event.path !== request.path)
        return false;
      if (event.type === 'agent.tool_ended') return event.call === request.call;
      return ENDS.has(event.type) && (!('attempt' in event) || event.attempt >= request.attempt);
    })
    .map(({ number }) => number);
}

/** What a person decided. */
export function patchDecision(
  rows: readonly ApprovalRow[],
  number: number,
  decision: Pick<ApprovalRow, 'status' | 'decidedAt' | 'decidedBy' | 'reason'>,
): ApprovalRow[] {
  return rows.map((row) => (row.number === number ? { ...row, ...decision } : row));
}

/** Rows in which nothing expires before `until` whose decision is on its way into the database. */
export function heldOpen(
  rows: readonly ApprovalRow[],
  beingDecided: ReadonlySet<number>,
  until: number,
): readonly ApprovalRow[] {
  if (beingDecided.size === 0) return rows;
  return rows.map((row) =>
    beingDecided.has(row.number) ? { ...row, expiresAt: Math.max(row.expiresAt, until) } : row,
  );
}

/** The numbers of those that are decided: what waits for them may ask again. */
export function decidedNumbers(rows: readonly ApprovalRow[]): number[] {
  return rows.filter(isDecided).map(({ number }) => number);
}

/** True when a step waits for an approval that is decided, so that the run can go on. */
export function isReleased(rows: readonly ApprovalRow[], steps: readonly StepRow[]): boolean {
  const decided = new Set(decidedNumbers(rows));
  return steps.some(({ approvals }) => approvals.some((number) => decided.has(number)));
}

/** What the process of the run has to know of them. */
export function bootApproval(row: ApprovalRow): BootApproval {
  const { number, status, answeredAt, voidAt } = row;
  const { kind, path, call } = row.request;
  const isRefused = status === 'denied' || status === 'expired';
  return { number, isDecided: isDecided(row), isRefused, request: { kind, path, call }, answeredAt, voidAt };
}

function isDecided({ status, voidAt }: ApprovalRow): boolean {
  return status !== 'pending' && voidAt === null;
}
