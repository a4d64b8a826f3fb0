/** What follows from a failed attempt: a pure decision, and the delay before a retry. */
import type { ErrorPolicy, HandlerRef, RetryPolicy } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { Plan } from './plan.ts';
import { containerOf, type MutableRunState, type StepNode } from './run-state.ts';

export type Verdict =
  | { readonly kind: 'halt' }
  | { readonly kind: 'skip' }
  | { readonly kind: 'rollback' }
  | { readonly kind: 'custom'; readonly handler: HandlerRef }
  | { readonly kind: 'retry'; readonly retry: RetryPolicy; readonly failures: number };

const REFUSALS: readonly string[] = ['POLICY_DENIED', 'APPROVAL_DENIED', 'KILL_SWITCH'];

const HALT: Verdict = { kind: 'halt' };

/**
 * The policy that a failure of the node meets; undefined = it goes on to the parent. A failure that came up from a
 * child has met a policy already, so only one that names the composite applies. Handlers, undo and rollback steps
 * never fall under the default: a handler that fails would call itself.
 */
export function policyFor(plan: Plan, node: StepNode, error: ErrorRecord): ErrorPolicy | undefined {
  const own = plan.ownPolicy(node.step.id);
  if (own !== undefined) return own;
  return node.area === 'flow' && isOwnFailure(node, error) ? plan.workflow.errorHandling.default : undefined;
}

/** True when the failure arose at the node itself. */
export function isOwnFailure(node: StepNode, error: ErrorRecord): boolean {
  return error.step === node.path;
}

/** What the policy says to the node's failure now. */
export function decide(state: MutableRunState, plan: Plan, node: StepNode, error: ErrorRecord): Verdict {
  const policy = policyFor(plan, node, error);
  if (policy === undefined) return HALT;
  const failures = node.attempt - node.attemptBase;
  if (policy.strategy === 'retry' && policy.retry !== null) {
    const { retry } = policy;
    // What was refused is refused again: only a file that names the code has it tried.
    const isCovered =
      retry.retryOn.length === 0 ? !REFUSALS.includes(error.code) : retry.retryOn.includes(error.code);
    if (isCovered && failures < retry.maxAttempts) return { kind: 'retry', retry, failures };
  }
  switch (policy.then) {
    case 'halt':
      return HALT;
    case 'skip':
      return { kind: 'skip' };
    case 'rollback':
      return plan.workflow.errorHandling.rollback.isEnabled && state.status === 'running'
        ? { kind: 'rollback' }
        : HALT;
    case 'custom':
      return policy.handler === null || isServedBy(node, policy.handler.id)
        ? HALT
        : { kind: 'custom', handler: policy.handler };
  }
}

/** The delay in ms before the attempt that follows the `failures`th failed one. `random` is in [0, 1). */
export function retryDelayMs(retry: RetryPolicy, failures: number, random: () => number): number {
  const grown = {
    fixed: retry.initialDelayMs,
    linear: retry.initialDelayMs * failures,
    exponential: retry.initialDelayMs * retry.factor ** (failures - 1),
  }[retry.backoff];
  const capped = Math.min(grown, retry.maxDelayMs);
  return Math.round(retry.jitter === 'full' ? random() * capped : capped);
}

/** True within a handler of that id: it must not handle its own failure, round and round. */
function isServedBy(node: StepNode, handlerId: string): boolean {
  for (let at: StepNode | null = node; at !== null; at = containerOf(at)) {
    if (at.relation === 'handler' && at.step.id === handlerId) return true;
  }
  return false;
}
