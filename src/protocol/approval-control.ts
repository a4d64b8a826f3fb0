/** The part of the people's methods that speaks of approvals. Times are UTC ISO 8601. */
import type { JsonObject } from '../definition/workflow.ts';
import type { ApprovalStatus } from '../store/tables/approval-rows.ts';
import type { Caller } from './caller.ts';

/** What waits, or waited, for a person. */
export interface ApprovalDocument {
  readonly instance: string;
  /** Counts from 1 within the instance. */
  readonly number: number;
  readonly workflow: string;
  readonly step: string;
  readonly attempt: number;
  /** One tool call of an agent, such as `c3-1`; else null. */
  readonly call: string | null;
  readonly kind: 'spawn' | 'session' | 'model' | 'tool' | 'hook' | 'approval';
  readonly what: string;
  readonly agent: string | null;
  readonly args: JsonObject;
  readonly args_hash: string;
  readonly rules: readonly string[];
  readonly reason: string;
  /** Each list has to name who decides, or `operator`. Empty = whoever may use the supervisor. */
  readonly by: readonly (readonly string[])[];
  /** What the call may reach when it is approved, while it runs, each as `host:port`. */
  readonly network: readonly string[];
  readonly status: ApprovalStatus;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly decided: {
    readonly by: string | null;
    readonly at: string;
    readonly reason: string | null;
  } | null;
}

/** Method → [parameters, result], as in control.ts. */
export interface ApprovalMethods {
  /** `id` null = of all runs. The oldest first. */
  'approval.list': [
    { id: string | null; isPendingOnly: boolean; limit: number },
    readonly ApprovalDocument[],
  ];
  /** `which` names one by number or call; null = the only one that waits. */
  'approval.decide': [
    {
      id: string;
      which: string | null;
      status: 'approved' | 'denied';
      reason: string | null;
      caller: Caller;
    },
    ApprovalDocument,
  ];
}
