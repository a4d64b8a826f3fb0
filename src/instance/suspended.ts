import type { JsonObject } from '../definition/workflow.ts';
import type { Outcome } from '../engine/contract.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { Permit, PermitApproval } from '../protocol/instance-link.ts';

interface AttemptName {
  readonly path: string;
  readonly attempt: number;
}

/** The outcome of an attempt that waits for persons: it goes on when the first of them has decided. */
export function suspendedOn(
  { path, attempt }: AttemptName,
  approvals: readonly Pick<PermitApproval, 'number' | 'until'>[],
): Outcome {
  if (approvals.length === 0)
    throw new WorkflowError('INTERNAL', `step "${path}" waits and does not say for what`);
  return {
    path,
    attempt,
    kind: 'suspended',
    approvals: approvals.map(({ number }) => number),
    until: Math.min(...approvals.map(({ until }) => until)),
  };
}

/** The outcome of a step that only asks, once it is approved. */
export function approvedOutcome({ path, attempt }: AttemptName, { approval }: Permit): Outcome {
  const result: JsonObject = {
    approved: true,
    by: approval?.by ?? null,
    at: approval?.at == null ? null : new Date(approval.at).toISOString(),
    reason: approval?.reason ?? null,
  };
  return { path, attempt, kind: 'completed', result };
}
