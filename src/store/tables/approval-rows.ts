/** Rows and operations of approvals. Times are UTC ms. */
import type { AuditEntry } from '../../audit/record.ts';
import type { JsonObject } from '../../definition/workflow.ts';

/** withdrawn: what asked ended before anybody decided. */
export type ApprovalStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn';

/** What a person is asked to allow, exactly as it would be done. */
export interface ApprovalRequest {
  /** `approval`: a step that only asks. */
  readonly kind: 'spawn' | 'session' | 'model' | 'tool' | 'hook' | 'approval';
  readonly path: string;
  readonly attempt: number;
  /** One tool call of an agent, such as `c3-1`; else null. */
  readonly call: string | null;
  /** Canonical tool, or the skill, agent or MCP server that would be started. */
  readonly what: string;
  /** The agent that asks; null in other steps. */
  readonly agent: string | null;
  /** Of the journaled intent. A step that only asks has its `message` in it. */
  readonly args: JsonObject;
  readonly rules: readonly string[];
  /** Why it is asked for. */
  readonly reason: string;
  /** Each list has to name who decides, or `operator`. */
  readonly by: readonly (readonly string[])[];
  /** The hosts that the call may reach when it is approved, and then as long as it runs. */
  readonly network?: readonly { readonly host: string; readonly port: number }[];
}

export interface ApprovalRow {
  readonly instance: string;
  /** Counts from 1 within the instance. */
  readonly number: number;
  /** Kind, path, attempt and call: what may ask for its answer. */
  readonly subject: string;
  readonly argsHash: string;
  readonly request: ApprovalRequest;
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly status: ApprovalStatus;
  readonly decidedAt: number | null;
  readonly decidedBy: string | null;
  /** Of the decision. */
  readonly reason: string | null;
  /** When a permit was first answered by it. */
  readonly answeredAt: number | null;
  /** The run was opened again by hand since: it counts no more. */
  readonly voidAt: number | null;
}

export type NewApproval = Pick<
  ApprovalRow,
  'number' | 'subject' | 'argsHash' | 'request' | 'requestedAt' | 'expiresAt'
>;

/** What a batch of permits did to the approvals of its instance. */
export interface ApprovalChanges {
  readonly requested: readonly NewApproval[];
  /** Numbers of those that nobody decided in time. */
  readonly expired: readonly number[];
  /** Numbers of those that answered a permit. */
  readonly answered: readonly number[];
  /** Numbers of those whose call or attempt ended without them. */
  readonly withdrawn: readonly number[];
  readonly at: number;
}

/** Name → [arguments, result], as in operations.ts. */
export interface ApprovalOperations {
  /** `isDecided` is false, and nothing written, when it is not pending (any more) or its time is over at `at`. */
  'approval.decide': [
    {
      instance: string;
      number: number;
      status: 'approved' | 'denied';
      by: string;
      reason: string | null;
      at: number;
      audit: AuditEntry;
    },
    { isDecided: boolean },
  ];
}

export interface ApprovalReads {
  /** Those of one instance by number, or of all (null), the oldest first. */
  'approval.list': [{ instance: string | null; isPendingOnly: boolean; limit: number }, ApprovalRow[]];
}
