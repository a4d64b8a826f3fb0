import { type Analysis, isInHandler } from './analysis.ts';
import type { FileHandler, FileLimits, FileSandbox, FileStep, FileTrigger } from './file.ts';
import { normaliseErrorHandling } from './policies.ts';
import type { Entry } from './tree.ts';
import { inputValues, rootsFor } from './values.ts';
import {
  DEFAULT_LIMITS,
  DEFAULT_MAX_ITERATIONS,
  type HandlerRef,
  type ResourceLimits,
  type SandboxRequest,
  type SkillStep,
  type Step,
  type Trigger,
  type Workflow,
} from './workflow.ts';

/** What turns entries and handler names into steps; each step of the file becomes one object, however often named. */
export interface Normaliser {
  step(entry: Entry): Step;
  handler(handler: FileHandler): HandlerRef;
}

/** The workflow of a file without errors, with every default filled in. */
export function normalise(analysis: Analysis): Workflow {
  const { file, steps, handlers, taken } = analysis;
  const normaliser = createNormaliser(analysis);
  const make = (entry: Entry): Step => normaliser.step(entry);
  return {
    name: file.name ?? '',
    version: file.version ?? '',
    description: file.description ?? '',
    triggers: (file.triggers ?? []).map(trigger),
    inputs: Object.fromEntries(
      Object.entries(file.inputs ?? {}).map(([name, input]) => [
        name,
        {
          type: input.type ?? 'any',
          isRequired: input.required ?? false,
          default: input.default,
          description: input.description ?? '',
        },
      ]),
    ),
    context: {
      readonly: file.context?.readonly ?? {},
      mutable: file.context?.mutable ?? {},
      access: file.context?.access ?? {},
    },
    steps: steps.filter((entry) => !taken.has(entry)).map(make),
    handlers: [...handlers, ...taken].map(make),
    errorHandling: normaliseErrorHandling(file.error_handling ?? {}, normaliser),
    limits: limits(file.resource_limits ?? {}),
    sandbox: sandboxRequest(file.sandbox),
  };
}

function createNormaliser(analysis: Analysis): Normaliser {
  const made = new Map<Entry, Step>();
  const skills = new Map<string, HandlerRef>();
  const step = (entry: Entry): Step => {
    const old = made.get(entry);
    if (old !== undefined) return old;
    const fresh = makeStep(entry, analysis, { step, handler });
    made.set(entry, fresh);
    return fresh;
  };
  const handler = (name: FileHandler): HandlerRef => {
    const target = analysis.resolve(name);
    if (target.kind === 'step') return { id: target.entry.step.id ?? '', step: step(target.entry) };
    const ref = skills.get(target.name) ?? { id: target.name, step: bareSkill(target.name) };
    skills.set(target.name, ref);
    return ref;
  };
  return { step, handler };
}

/** Recursion is as deep as composites are nested. */
function makeStep(entry: Entry, analysis: Analysis, normaliser: Normaliser): Step {
  const { step } = entry;
  const base = {
    id: step.id ?? '',
    description: step.description ?? '',
    set: step.set ?? {},
    writes: step.writes ?? [],
    undo: step.undo === undefined ? null : normaliser.handler(step.undo),
    sandbox: sandboxRequest(step.sandbox),
  };
  const inner = (list: Entry['list']): Step[] =>
    entry.children
      .filter((child) => child.list === list && !analysis.taken.has(child))
      .map((child) => normaliser.step(child));
  switch (step.type) {
    case 'parallel':
      return { ...base, type: 'parallel', steps: inner('steps'), waitFor: step.wait_for ?? 'all' };
    case 'conditional':
      return {
        ...base,
        type: 'conditional',
        condition: step.condition ?? '',
        then: inner('then'),
        else: inner('else'),
      };
    case 'loop':
      return {
        ...base,
        type: 'loop',
        condition: step.condition ?? '',
        steps: inner('steps'),
        maxIterations: step.max_iterations ?? DEFAULT_MAX_ITERATIONS,
        onLimit: step.on_limit ?? 'fail',
      };
    case 'agent':
      return {
        ...base,
        ...leafParts(entry, analysis),
        type: 'agent',
        agent: step.agent ?? '',
        guardrails: step.guardrails ?? {},
        isAsync: step.async ?? true,
      };
    default:
      return {
        ...base,
        ...leafParts(entry, analysis),
        type: 'skill',
        skill: step.skill ?? '',
        isAsync: step.async ?? false,
      };
  }
}

type LeafParts = Pick<SkillStep, 'inputs' | 'outputs' | 'timeoutMs' | 'onResume'>;

function leafParts(entry: Entry, analysis: Analysis): LeafParts {
  const { step }: { readonly step: FileStep } = entry;
  const isRoot = rootsFor(analysis.stepIds, isInHandler(entry, analysis) ? 'handler' : 'flow');
  return {
    inputs: inputValues(step.inputs ?? {}, isRoot),
    outputs: step.outputs ?? [],
    timeoutMs: step.timeout === undefined ? null : milliseconds(step.timeout),
    onResume: step.on_resume ?? 'rerun',
  };
}

/** The step that a handler's name stands for when it is that of a skill. */
function bareSkill(name: string): SkillStep {
  return {
    id: name,
    description: '',
    set: {},
    writes: [],
    undo: null,
    sandbox: null,
    type: 'skill',
    skill: name,
    inputs: {},
    outputs: [],
    isAsync: false,
    timeoutMs: null,
    onResume: 'rerun',
  };
}

/** Whole milliseconds, one at least: a timeout of 0 would be none. */
function milliseconds(seconds: number): number {
  return Math.max(1, Math.round(seconds * 1000));
}

function trigger({ type, description = '', cron = '', timezone = 'UTC' }: FileTrigger): Trigger {
  return type === 'schedule' ? { type, cron, timezone } : { type: 'manual', description };
}

function limits(given: FileLimits): ResourceLimits {
  const seconds = given.max_execution_time;
  return {
    maxMemoryMb: given.max_memory_mb ?? DEFAULT_LIMITS.maxMemoryMb,
    maxCpuPercent: given.max_cpu_percent ?? DEFAULT_LIMITS.maxCpuPercent,
    maxExecutionTimeMs: seconds === undefined ? DEFAULT_LIMITS.maxExecutionTimeMs : milliseconds(seconds),
    maxConcurrentSteps: given.max_concurrent_steps ?? DEFAULT_LIMITS.maxConcurrentSteps,
    maxProcesses: given.max_processes ?? DEFAULT_LIMITS.maxProcesses,
    maxDiskMb: given.max_disk_mb ?? DEFAULT_LIMITS.maxDiskMb,
    enforcement: given.enforcement ?? DEFAULT_LIMITS.enforcement,
  };
}

function sandboxRequest(given: FileSandbox | undefined): SandboxRequest | null {
  if (given === undefined) return null;
  if (typeof given === 'string') return { mode: given, tier: null };
  return { mode: given.mode ?? 'best_effort', tier: given.tier ?? null };
}
