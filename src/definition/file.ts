/**
 * The workflow file as it is written, after the schema accepted it: snake_case, defaults absent. Only loading knows
 * these types; everything else uses `Workflow`.
 */
import type { Json, JsonObject } from './workflow.ts';

export interface WorkflowFile {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly triggers?: readonly TriggerFile[];
  readonly inputs?: Readonly<Record<string, InputFile>>;
  readonly context?: ContextFile;
  readonly steps: readonly StepFile[];
  readonly handlers?: readonly StepFile[];
  readonly error_handling?: ErrorHandlingFile;
  readonly resource_limits?: LimitsFile;
  readonly sandbox?: SandboxFile;
}

export type TriggerFile =
  | { readonly type: 'manual'; readonly description?: string }
  | {
      readonly type: 'schedule';
      readonly cron: string;
      readonly timezone?: string;
      readonly gap?: 'shift' | 'skip';
      readonly fold?: 'first' | 'last' | 'both';
      readonly start_at?: string;
      readonly end_at?: string;
      readonly catch_up?: 'none' | 'last' | 'all';
      readonly catch_up_window?: number;
      readonly overlap?: 'skip' | 'queue' | 'cancel_previous' | 'allow';
      readonly jitter?: number;
    };

export interface InputFile {
  readonly type?: 'string' | 'number' | 'boolean' | 'object' | 'array' | 'any';
  readonly required?: boolean;
  readonly default?: Json;
  readonly description?: string;
}

export interface ContextFile {
  readonly readonly?: JsonObject;
  readonly mutable?: JsonObject;
  readonly access?: Readonly<Record<string, readonly string[]>>;
}

interface StepFileBase {
  readonly id: string;
  readonly description?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly writes?: readonly string[];
  readonly undo?: HandlerFile;
  readonly sandbox?: SandboxFile;
}

interface LeafFile extends StepFileBase {
  readonly inputs?: JsonObject;
  readonly outputs?: readonly string[];
  readonly async?: boolean;
  readonly timeout?: number;
  readonly on_resume?: 'rerun' | 'fail' | 'skip';
}

interface ApprovalFile extends StepFileBase {
  readonly type: 'approval';
  readonly message: string;
  /** Shown to who decides, below the message. */
  readonly inputs?: JsonObject;
  readonly by?: readonly string[];
  readonly async?: boolean;
  readonly timeout?: number;
}

export type StepFile =
  | (LeafFile & { readonly type: 'skill'; readonly skill: string })
  | (LeafFile & { readonly type: 'agent'; readonly agent: string; readonly guardrails?: JsonObject })
  | ApprovalFile
  | (StepFileBase & {
      readonly type: 'parallel';
      readonly steps: readonly StepFile[];
      readonly wait_for?: 'all' | 'any' | 'none';
    })
  | (StepFileBase & {
      readonly type: 'conditional';
      readonly condition: string;
      readonly then: readonly StepFile[];
      readonly else?: readonly StepFile[];
    })
  | (StepFileBase & {
      readonly type: 'loop';
      readonly condition: string;
      readonly steps: readonly StepFile[];
      readonly max_iterations?: number;
      readonly on_limit?: 'fail' | 'continue';
    });

/** An id of handlers or steps, a skill's name, or a step in place. */
export type HandlerFile = string | StepFile;

export type SandboxMode = 'required' | 'best_effort';
export type SandboxFile =
  | SandboxMode
  | { readonly mode?: SandboxMode; readonly tier?: 'trusted' | 'skill' | 'agent' | 'untrusted' };

export interface ErrorHandlingFile {
  readonly default?: PolicyFile;
  readonly per_step?: Readonly<Record<string, PolicyFile>>;
  readonly rollback?: { readonly enabled?: boolean; readonly steps?: readonly HandlerFile[] };
}

export type FinalStrategyName = 'halt' | 'skip' | 'rollback' | 'custom';
export type PolicyFile = FinalStrategyName | 'retry' | PolicyObject;

export interface PolicyObject {
  readonly strategy?: FinalStrategyName | 'retry';
  readonly max_attempts?: number;
  readonly backoff?: 'fixed' | 'linear' | 'exponential';
  readonly initial_delay?: number;
  readonly factor?: number;
  readonly max_delay?: number;
  readonly jitter?: 'full' | 'none';
  readonly retry_on?: readonly string[];
  readonly then?: FinalStrategyName;
  readonly continue_on_error?: boolean;
  readonly custom_handler?: HandlerFile;
}

export interface LimitsFile {
  readonly max_memory_mb?: number;
  readonly max_cpu_percent?: number;
  readonly max_execution_time?: number;
  readonly max_concurrent_steps?: number;
  readonly max_processes?: number;
  readonly max_disk_mb?: number;
  readonly max_io_mb_per_s?: number;
  readonly priority?: number;
  readonly enforcement?: 'required' | 'best_effort';
}

/** The lists of steps right inside a step, each with its key in the file. */
export function childLists(
  step: StepFile,
): readonly { readonly key: string; readonly steps: readonly StepFile[] }[] {
  switch (step.type) {
    case 'skill':
    case 'agent':
    case 'approval':
      return [];
    case 'parallel':
    case 'loop':
      return [{ key: 'steps', steps: step.steps }];
    case 'conditional':
      return [
        { key: 'then', steps: step.then },
        { key: 'else', steps: step.else ?? [] },
      ];
  }
}

/** What a step is given, as references, templates and literals; null for one that takes nothing. */
export function inputsOf(step: StepFile): JsonObject | null {
  if (step.type === 'approval') return { ...step.inputs, message: step.message };
  return step.type === 'skill' || step.type === 'agent' ? (step.inputs ?? {}) : null;
}
