import {
  inputsOf,
  type PolicyFile,
  type SandboxFile,
  type StepFile,
  type TriggerFile,
  type WorkflowFile,
} from './file.ts';
import { inputValue } from './input-value.ts';
import type { Roster } from './roster.ts';
import {
  DEFAULT_LIMITS,
  DEFAULT_MAX_ITERATIONS,
  DEFAULT_RETRY,
  type ErrorPolicy,
  type HandlerRef,
  type InputDeclaration,
  type LeafStep,
  type ResourceLimits,
  type RetryPolicy,
  type SandboxRequest,
  type Step,
  type Trigger,
  type Workflow,
} from './workflow.ts';

/** The model of a file that passed every check: defaults filled in, seconds as milliseconds, handlers resolved. */
export function normalise(file: WorkflowFile, roster: Roster): Workflow {
  return new Normaliser(file, roster).workflow();
}

class Normaliser {
  readonly #file: WorkflowFile;
  readonly #roster: Roster;
  readonly #stepIds: ReadonlySet<string>;
  readonly #handlers = new Map<string, Step>();
  readonly #sandbox: SandboxRequest | null;

  constructor(file: WorkflowFile, roster: Roster) {
    this.#file = file;
    this.#roster = roster;
    this.#stepIds = new Set(roster.byId.keys());
    this.#sandbox = sandbox(file.sandbox, null, null);
  }

  workflow(): Workflow {
    const file = this.#file;
    const handlers = [...(file.handlers ?? []).map((step) => step.id), ...this.#roster.moved];
    return {
      name: file.name,
      version: file.version,
      description: file.description ?? '',
      triggers: (file.triggers ?? []).map(normaliseTrigger),
      inputs: Object.fromEntries(
        Object.entries(file.inputs ?? {}).map(([name, input]) => [name, declaration(input)]),
      ),
      context: {
        readonly: file.context?.readonly ?? {},
        mutable: file.context?.mutable ?? {},
        access: file.context?.access ?? {},
      },
      steps: this.#steps(file.steps, false, this.#sandbox),
      handlers: handlers.map((id) => this.#handler(id).step),
      errorHandling: {
        default: this.#policy(file.error_handling?.default ?? 'halt'),
        perStep: this.#perStep(),
        rollback: {
          isEnabled: file.error_handling?.rollback?.enabled ?? true,
          steps: (file.error_handling?.rollback?.steps ?? []).map((handler) => this.#handler(handler)),
        },
      },
      limits: limits(file),
      sandbox: this.#sandbox,
    };
  }

  #perStep(): Readonly<Record<string, ErrorPolicy>> {
    const entries = Object.entries(this.#file.error_handling?.per_step ?? {});
    return Object.fromEntries(entries.map(([id, policy]) => [id, this.#policy(policy)]));
  }

  /** Steps that are named as handlers leave the flow. */
  #steps(steps: readonly StepFile[], isHandler: boolean, around: SandboxRequest | null): readonly Step[] {
    const staying = isHandler ? steps : steps.filter((step) => !this.#roster.moved.has(step.id));
    return staying.map((step) => this.#step(step, isHandler, around));
  }

  #step(step: StepFile, isHandler: boolean, around: SandboxRequest | null): Step {
    const base = {
      id: step.id,
      description: step.description ?? '',
      set: step.set ?? {},
      writes: step.writes ?? [],
      undo: step.undo === undefined ? null : this.#handler(step.undo),
      sandbox: sandbox(step.sandbox, step.id, around),
    };
    switch (step.type) {
      case 'skill':
        return { ...base, ...this.#leaf(step, isHandler), type: 'skill', skill: step.skill };
      case 'agent':
        return {
          ...base,
          ...this.#leaf(step, isHandler),
          type: 'agent',
          agent: step.agent,
          guardrails: step.guardrails ?? {},
        };
      case 'approval':
        return {
          ...base,
          ...this.#leaf(step, isHandler),
          timeoutMs: step.timeout === undefined ? APPROVAL_TIMEOUT_MS : milliseconds(step.timeout),
          type: 'approval',
          by: step.by ?? [],
        };
      case 'parallel':
        return {
          ...base,
          type: 'parallel',
          steps: this.#steps(step.steps, isHandler, base.sandbox),
          waitFor: step.wait_for ?? 'all',
        };
      case 'conditional':
        return {
          ...base,
          type: 'conditional',
          condition: step.condition,
          then: this.#steps(step.then, isHandler, base.sandbox),
          else: this.#steps(step.else ?? [], isHandler, base.sandbox),
        };
      case 'loop':
        return {
          ...base,
          type: 'loop',
          condition: step.condition,
          steps: this.#steps(step.steps, isHandler, base.sandbox),
          maxIterations: step.max_iterations ?? DEFAULT_MAX_ITERATIONS,
          onLimit: step.on_limit ?? 'fail',
        };
    }
  }

  #leaf(step: Extract<StepFile, { type: LeafStep['type'] }>, isHandler: boolean) {
    const roots = { stepIds: this.#stepIds, isHandler };
    const inputs = Object.entries(inputsOf(step) ?? {}).map(
      ([name, value]) => [name, inputValue(value, roots)] as const,
    );
    return {
      inputs: Object.fromEntries(inputs),
      outputs: 'outputs' in step ? (step.outputs ?? []) : [],
      isAsync: step.async ?? step.type === 'agent',
      timeoutMs: step.timeout === undefined ? null : milliseconds(step.timeout),
      onResume: ('on_resume' in step ? step.on_resume : undefined) ?? ('rerun' as const),
    };
  }

  /** An id of handlers or steps, else the skill of that name. Each handler is made once. */
  #handler(handler: string | StepFile): HandlerRef {
    if (typeof handler !== 'string')
      return { id: handler.id, step: this.#step(handler, true, this.#sandbox) };
    const made = this.#handlers.get(handler);
    if (made !== undefined) return { id: handler, step: made };
    const listed = this.#roster.byId.get(handler);
    const file: StepFile =
      listed?.handler === handler ? listed.step : { id: handler, type: 'skill', skill: handler };
    const step = this.#step(file, true, this.#sandbox);
    this.#handlers.set(handler, step);
    return { id: handler, step };
  }

  #policy(policy: PolicyFile): ErrorPolicy {
    const full = typeof policy === 'string' ? { strategy: policy } : policy;
    const strategy = full.strategy ?? 'skip';
    const exhausted = full.then ?? (full.continue_on_error === true ? 'skip' : 'halt');
    return {
      strategy,
      retry: strategy === 'retry' ? retry(full) : null,
      then: strategy === 'retry' ? exhausted : strategy,
      handler: full.custom_handler === undefined ? null : this.#handler(full.custom_handler),
    };
  }
}

function retry(policy: Exclude<PolicyFile, string>): RetryPolicy {
  const initialDelayMs =
    policy.initial_delay === undefined ? DEFAULT_RETRY.initialDelayMs : milliseconds(policy.initial_delay, 0);
  return {
    maxAttempts: policy.max_attempts ?? DEFAULT_RETRY.maxAttempts,
    backoff: policy.backoff ?? DEFAULT_RETRY.backoff,
    initialDelayMs,
    factor: policy.factor ?? DEFAULT_RETRY.factor,
    // A first delay above the default cap was asked for: the cap gives way.
    maxDelayMs:
      policy.max_delay === undefined
        ? Math.max(DEFAULT_RETRY.maxDelayMs, initialDelayMs)
        : milliseconds(policy.max_delay, 0),
    jitter: policy.jitter ?? DEFAULT_RETRY.jitter,
    retryOn: policy.retry_on ?? DEFAULT_RETRY.retryOn,
  };
}

/** Whole milliseconds; a timeout of less than one becomes one, not none. */
function milliseconds(seconds: number, least = 1): number {
  return Math.max(least, Math.round(seconds * 1000));
}

/** A day: whoever is asked may be asleep. */
const APPROVAL_TIMEOUT_MS = 24 * 3600 * 1000;
const CATCH_UP_WINDOW_S = 3600;

/** A trigger of a file that passed every check. */
export function normaliseTrigger(file: TriggerFile): Trigger {
  if (file.type === 'manual') return { type: 'manual', description: file.description ?? '' };
  return {
    type: 'schedule',
    cron: file.cron,
    timezone: file.timezone ?? 'UTC',
    gap: file.gap ?? 'shift',
    fold: file.fold ?? 'first',
    startAt: file.start_at === undefined ? null : Date.parse(file.start_at),
    endAt: file.end_at === undefined ? null : Date.parse(file.end_at),
    catchUp: file.catch_up ?? 'last',
    catchUpWindowMs: milliseconds(file.catch_up_window ?? CATCH_UP_WINDOW_S, 0),
    overlap: file.overlap ?? 'skip',
    jitterMs: milliseconds(file.jitter ?? 0, 0),
  };
}

function declaration(file: NonNullable<WorkflowFile['inputs']>[string]): InputDeclaration {
  return {
    type: file.type ?? 'any',
    isRequired: file.required ?? false,
    default: file.default,
    description: file.description ?? '',
  };
}

function limits({ resource_limits: file = {} }: WorkflowFile): ResourceLimits {
  return {
    maxMemoryMb: file.max_memory_mb ?? DEFAULT_LIMITS.maxMemoryMb,
    maxCpuPercent: file.max_cpu_percent ?? DEFAULT_LIMITS.maxCpuPercent,
    maxExecutionTimeMs:
      file.max_execution_time === undefined
        ? DEFAULT_LIMITS.maxExecutionTimeMs
        : milliseconds(file.max_execution_time),
    maxConcurrentSteps: file.max_concurrent_steps ?? DEFAULT_LIMITS.maxConcurrentSteps,
    maxProcesses: file.max_processes ?? DEFAULT_LIMITS.maxProcesses,
    maxDiskMb: file.max_disk_mb ?? DEFAULT_LIMITS.maxDiskMb,
    maxIoMbPerS: file.max_io_mb_per_s ?? DEFAULT_LIMITS.maxIoMbPerS,
    priority: file.priority ?? DEFAULT_LIMITS.priority,
    enforcement: file.enforcement ?? DEFAULT_LIMITS.enforcement,
  };
}

/** Each field that is not given here is that of `around`; what nobody gives is the default of the step's kind. */
function sandbox(
  file: SandboxFile | undefined,
  id: string | null,
  around: SandboxRequest | null,
): SandboxRequest | null {
  if (file === undefined) return around;
  const { mode, tier } = typeof file === 'string' ? { mode: file, tier: undefined } : file;
  return {
    mode: mode ?? around?.mode ?? null,
    tier: tier ?? around?.tier ?? null,
    tierOf: tier === undefined ? (around?.tierOf ?? null) : id,
  };
}
