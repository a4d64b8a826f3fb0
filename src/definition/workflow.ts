/**
 * The workflow as the engine sees it: every default filled in, every name in camelCase, every reference resolved
 * to its form. `load` makes it from a file; nothing else knows the spelling of the file.
 */

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type JsonObject = { [key: string]: Json };

export interface Workflow {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly triggers: readonly Trigger[];
  readonly inputs: Readonly<Record<string, InputDeclaration>>;
  readonly context: ContextDeclaration;
  readonly steps: readonly Step[];
  /** Steps that run only as error handlers, undo steps or rollback steps. */
  readonly handlers: readonly Step[];
  readonly errorHandling: ErrorHandling;
  readonly limits: ResourceLimits;
  readonly sandbox: SandboxRequest | null;
}

export type Trigger = { readonly type: 'manual'; readonly description: string } | ScheduleTrigger;

/** Started by the clock (docs/schedules.md). */
export interface ScheduleTrigger {
  readonly type: 'schedule';
  readonly cron: string;
  readonly timezone: string;
  /** A time that a clock change takes away: as far after the change, or not on that day. */
  readonly gap: 'shift' | 'skip';
  /** A time that a clock change gives twice. */
  readonly fold: 'first' | 'last' | 'both';
  /** UTC ms; null = no bound. The first instant that counts, and the last. */
  readonly startAt: number | null;
  readonly endAt: number | null;
  /** What becomes of fires that nobody was there for. */
  readonly catchUp: 'none' | 'last' | 'all';
  /** How long ago a missed fire may be, ms. */
  readonly catchUpWindowMs: number;
  /** When an instance of the schedule has not ended yet. */
  readonly overlap: 'skip' | 'queue' | 'cancel_previous' | 'allow';
  /** Each fire starts up to so much later, ms. */
  readonly jitterMs: number;
}

export interface InputDeclaration {
  readonly type: 'string' | 'number' | 'boolean' | 'object' | 'array' | 'any';
  readonly isRequired: boolean;
  readonly default: Json | undefined;
  readonly description: string;
}

export interface ContextDeclaration {
  readonly readonly: Readonly<JsonObject>;
  readonly mutable: Readonly<JsonObject>;
  /** Mutable name → ids of the steps that may write it; a name that is not listed may be written by all. */
  readonly access: Readonly<Record<string, readonly string[]>>;
}

export type Step = LeafStep | CompositeStep;
/** Steps that run something, in a process or in the sandbox of an agent. */
export type WorkStep = SkillStep | AgentStep;
export type LeafStep = WorkStep | ApprovalStep;
export type CompositeStep = ParallelStep | ConditionalStep | LoopStep;
export type StepType = Step['type'];

interface StepBase {
  readonly id: string;
  readonly description: string;
  /** Mutable context name → expression, evaluated after success in the order written. */
  readonly set: Readonly<Record<string, string>>;
  /** Mutable context names that take the result's field of the same name. */
  readonly writes: readonly string[];
  /** Undone by this when the workflow rolls back after the step completed. */
  readonly undo: HandlerRef | null;
  readonly sandbox: SandboxRequest | null;
}

interface LeafBase extends StepBase {
  readonly inputs: Readonly<Record<string, InputValue>>;
  /** Fields that must be in the result. */
  readonly outputs: readonly string[];
  readonly isAsync: boolean;
  /** Per attempt; null = only the instance's own limit. */
  readonly timeoutMs: number | null;
  /** What happens to an attempt that was in flight at a crash. */
  readonly onResume: 'rerun' | 'fail' | 'skip';
}

export interface SkillStep extends LeafBase {
  readonly type: 'skill';
  readonly skill: string;
}

export interface AgentStep extends LeafBase {
  readonly type: 'agent';
  readonly agent: string;
  readonly guardrails: Readonly<JsonObject>;
}

/** Waits for a person to say yes. Its inputs are what they are shown, `message` first. */
export interface ApprovalStep extends LeafBase {
  readonly type: 'approval';
  /** Who may decide; empty = whoever may use the supervisor. `timeoutMs` is how long it waits; then it is denied. */
  readonly by: readonly string[];
}

export interface ParallelStep extends StepBase {
  readonly type: 'parallel';
  readonly steps: readonly Step[];
  readonly waitFor: 'all' | 'any' | 'none';
}

export interface ConditionalStep extends StepBase {
  readonly type: 'conditional';
  readonly condition: string;
  readonly then: readonly Step[];
  readonly else: readonly Step[];
}

export interface LoopStep extends StepBase {
  readonly type: 'loop';
  readonly condition: string;
  readonly steps: readonly Step[];
  readonly maxIterations: number;
  readonly onLimit: 'fail' | 'continue';
}

/** A value of a step's `inputs`, by its form. Arrays and objects of the file hold such values again. */
export type InputValue =
  | { readonly kind: 'literal'; readonly value: Json }
  | { readonly kind: 'ref'; readonly source: string; readonly segments: readonly (string | number)[] }
  | { readonly kind: 'template'; readonly source: string }
  | { readonly kind: 'secret'; readonly name: string }
  | { readonly kind: 'array'; readonly items: readonly InputValue[] }
  | { readonly kind: 'object'; readonly fields: Readonly<Record<string, InputValue>> };

const LEAF_TYPES: ReadonlySet<string> = new Set<LeafStep['type']>(['skill', 'agent', 'approval']);

export function isLeafType(type: StepType | null): type is LeafStep['type'] {
  return type !== null && LEAF_TYPES.has(type);
}

export function isLeafStep(step: Step): step is LeafStep {
  return isLeafType(step.type);
}

export function isWorkStep(step: Step): step is WorkStep {
  return step.type === 'skill' || step.type === 'agent';
}

export interface ErrorHandling {
  readonly default: ErrorPolicy;
  readonly perStep: Readonly<Record<string, ErrorPolicy>>;
  readonly rollback: { readonly isEnabled: boolean; readonly steps: readonly HandlerRef[] };
}

export type FinalStrategy = 'halt' | 'skip' | 'rollback' | 'custom';

export interface ErrorPolicy {
  readonly strategy: FinalStrategy | 'retry';
  /** Present when strategy is retry. */
  readonly retry: RetryPolicy | null;
  /** The strategy when retries are used up (strategy retry), else the same as strategy. */
  readonly then: FinalStrategy;
  /** The handler when strategy or then is custom. */
  readonly handler: HandlerRef | null;
}

export interface RetryPolicy {
  readonly maxAttempts: number;
  readonly backoff: 'fixed' | 'linear' | 'exponential';
  readonly initialDelayMs: number;
  readonly factor: number;
  readonly maxDelayMs: number;
  readonly jitter: 'full' | 'none';
  /** Error codes that are retried; empty = every code. */
  readonly retryOn: readonly string[];
}

/** How a handler, undo or rollback step is named: an id of handlers or steps, a skill's name, or a step in place. */
export type HandlerRef = { readonly id: string; readonly step: Step };

export interface ResourceLimits {
  readonly maxMemoryMb: number;
  readonly maxCpuPercent: number;
  readonly maxExecutionTimeMs: number;
  readonly maxConcurrentSteps: number;
  readonly maxProcesses: number;
  readonly maxDiskMb: number | null;
  /** MiB a second, for reading and for writing each, of each disk. */
  readonly maxIoMbPerS: number | null;
  /** -10 to 10: higher leaves the queue earlier. */
  readonly priority: number;
  readonly enforcement: 'required' | 'best_effort';
}

/** What the file asks for; a step has taken over what those around it and the workflow ask. Null = not said. */
export interface SandboxRequest {
  readonly mode: 'required' | 'best_effort' | null;
  readonly tier: 'trusted' | 'skill' | 'agent' | 'untrusted' | null;
  /** Id of the step that names the tier; null for the workflow. */
  readonly tierOf: string | null;
}

/** What is used where the file is silent (DESIGN section 5). */
export const DEFAULT_LIMITS: ResourceLimits = {
  maxMemoryMb: 512,
  maxCpuPercent: 100,
  maxExecutionTimeMs: 3_600_000,
  maxConcurrentSteps: 5,
  maxProcesses: 256,
  maxDiskMb: null,
  maxIoMbPerS: null,
  priority: 0,
  enforcement: 'best_effort',
};

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 3,
  backoff: 'exponential',
  initialDelayMs: 1000,
  factor: 2,
  maxDelayMs: 60_000,
  jitter: 'full',
  retryOn: [],
};

export const DEFAULT_MAX_ITERATIONS = 100;
