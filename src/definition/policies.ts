import type { FilePolicy, FileWorkflow } from './file.ts';
import type { Normaliser } from './normalise.ts';
import {
  DEFAULT_RETRY,
  type ErrorHandling,
  type ErrorPolicy,
  type FinalStrategy,
  type HandlerRef,
  type RetryPolicy,
} from './workflow.ts';

/** The error handling of a file without errors; a file that says nothing halts. */
export function normaliseErrorHandling(
  given: NonNullable<FileWorkflow['error_handling']>,
  { handler }: Normaliser,
): ErrorHandling {
  const policy = (value: string | FilePolicy): ErrorPolicy => normalisePolicy(value, handler);
  return {
    default: policy(given.default ?? 'halt'),
    perStep: Object.fromEntries(
      Object.entries(given.per_step ?? {}).map(([id, value]) => [id, policy(value)]),
    ),
    rollback: {
      isEnabled: given.rollback?.enabled ?? true,
      steps: (given.rollback?.steps ?? []).map(handler),
    },
  };
}

/** `continue_on_error` is strategy skip; with retry it is what follows when the attempts are used up. */
export function strategiesOf(policy: FilePolicy): {
  readonly strategy: FinalStrategy | 'retry';
  readonly then: FinalStrategy;
} {
  const { strategy, continue_on_error: goesOn } = policy;
  if (strategy === 'retry') return { strategy, then: policy.then ?? (goesOn === true ? 'skip' : 'halt') };
  const final = goesOn === true ? 'skip' : finalStrategy(strategy);
  return { strategy: final, then: final };
}

function normalisePolicy(
  value: string | FilePolicy,
  handler: (name: NonNullable<FilePolicy['custom_handler']>) => HandlerRef,
): ErrorPolicy {
  const policy: FilePolicy = typeof value === 'string' ? { strategy: value } : value;
  const { strategy, then } = strategiesOf(policy);
  const name = policy.custom_handler;
  return {
    strategy,
    retry: strategy === 'retry' ? retryPolicy(policy) : null,
    then,
    handler: then === 'custom' && name !== undefined ? handler(name) : null,
  };
}

function retryPolicy(policy: FilePolicy): RetryPolicy {
  const { initial_delay: initial, max_delay: most } = policy;
  return {
    maxAttempts: policy.max_attempts ?? DEFAULT_RETRY.maxAttempts,
    backoff: policy.backoff ?? DEFAULT_RETRY.backoff,
    initialDelayMs: initial === undefined ? DEFAULT_RETRY.initialDelayMs : Math.round(initial * 1000),
    factor: policy.factor ?? DEFAULT_RETRY.factor,
    maxDelayMs: most === undefined ? DEFAULT_RETRY.maxDelayMs : Math.round(most * 1000),
    jitter: policy.jitter ?? DEFAULT_RETRY.jitter,
    retryOn: policy.retry_on ?? DEFAULT_RETRY.retryOn,
  };
}

function finalStrategy(strategy: string | undefined): FinalStrategy {
  return strategy === 'skip' || strategy === 'rollback' || strategy === 'custom' ? strategy : 'halt';
}
