/**
 * A workflow as its file spells it. What broke the schema has been taken out by then, so every key may be missing;
 * `load` normalises only a file without errors.
 */
import type { InputDeclaration, Json, JsonObject, ResourceLimits, StepType } from './workflow.ts';

export interface FileWorkflow {
  name?: string;
  version?: string;
  description?: string;
  triggers?: FileTrigger[];
  inputs?: Record<string, FileInput>;
  context?: { readonly?: JsonObject; mutable?: JsonObject; access?: Record<string, string[]> };
  steps?: unknown[];
  handlers?: unknown[];
  error_handling?: {
    default?: string | FilePolicy;
    per_step?: Record<string, string | FilePolicy>;
    rollback?: { enabled?: boolean; steps?: FileHandler[] };
  };
  resource_limits?: FileLimits;
  sandbox?: FileSandbox;
}

export interface FileTrigger {
  type?: 'manual' | 'schedule';
  cron?: string;
  timezone?: string;
  description?: string;
}

export interface FileInput {
  type?: InputDeclaration['type'];
  required?: boolean;
  default?: Json;
  description?: string;
}

export type FileHandler = string | FileStep;

export interface FileStep {
  id?: string;
  type?: StepType;
  description?: string;
  skill?: string;
  agent?: string;
  inputs?: JsonObject;
  outputs?: string[];
  async?: boolean;
  timeout?: number;
  on_resume?: 'rerun' | 'fail' | 'skip';
  guardrails?: JsonObject;
  steps?: unknown[];
  wait_for?: 'all' | 'any' | 'none';
  condition?: string;
  then?: unknown[];
  else?: unknown[];
  max_iterations?: number;
  on_limit?: 'fail' | 'continue';
  set?: Record<string, string>;
  writes?: string[];
  undo?: FileHandler;
  sandbox?: FileSandbox;
}

export interface FilePolicy {
  strategy?: string;
  max_attempts?: number;
  backoff?: 'fixed' | 'linear' | 'exponential';
  initial_delay?: number;
  factor?: number;
  max_delay?: number;
  jitter?: 'full' | 'none';
  retry_on?: string[];
  then?: 'halt' | 'skip' | 'rollback' | 'custom';
  continue_on_error?: boolean;
  custom_handler?: FileHandler;
}

export interface FileLimits {
  max_memory_mb?: number;
  max_cpu_percent?: number;
  max_execution_time?: number;
  max_concurrent_steps?: number;
  max_processes?: number;
  max_disk_mb?: number;
  enforcement?: ResourceLimits['enforcement'];
}

export type FileSandbox =
  | 'required'
  | 'best_effort'
  | { mode?: 'required' | 'best_effort'; tier?: 'trusted' | 'skill' | 'agent' | 'untrusted' };

/** True for a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
