/** Builders, an evaluator over JavaScript, and a simulated driver for tests of the engine. */
import { createContext, Script } from 'node:vm';
import type {
  ConditionalStep,
  ErrorHandling,
  ErrorPolicy,
  InputValue,
  Json,
  JsonObject,
  LoopStep,
  ParallelStep,
  RetryPolicy,
  SkillStep,
  Step,
  Workflow,
} from '../../src/definition/workflow.ts';
import { DEFAULT_LIMITS, DEFAULT_RETRY } from '../../src/definition/workflow.ts';
import type { Command, Engine, Outcome, Progress } from '../../src/engine/contract.ts';
import { createEngine } from '../../src/engine/engine.ts';
import type { Bindings, Evaluator, ExpressionScope } from '../../src/engine/evaluator.ts';
import type { RunEvent } from '../../src/engine/events.ts';
import type { MutableRunState, StepNode } from '../../src/engine/run-state.ts';
import type { ErrorCode } from '../../src/errors/table.ts';
import type { ErrorRecord } from '../../src/errors/workflow-error.ts';

const BASE = { description: '', set: {}, writes: [], undo: null, sandbox: null };

export function skill(id: string, parts: Partial<SkillStep> = {}): SkillStep {
  return {
    ...BASE,
    type: 'skill',
    id,
    skill: id,
    inputs: {},
    outputs: [],
    isAsync: false,
    timeoutMs: null,
    onResume: 'rerun',
    ...parts,
  };
}

export function parallel(id: string, steps: Step[], parts: Partial<ParallelStep> = {}): ParallelStep {
  return { ...BASE, type: 'parallel', id, steps, waitFor: 'all', ...parts };
}

export function conditional(
  id: string,
  condition: string,
  branches: { then: Step[]; else?: Step[] },
  parts: Partial<ConditionalStep> = {},
): ConditionalStep {
  const { then } = branches;
  return { ...BASE, type: 'conditional', id, condition, then, else: branches.else ?? [], ...parts };
}

export function loop(id: string, condition: string, steps: Step[], parts: Partial<LoopStep> = {}): LoopStep {
  return { ...BASE, type: 'loop', id, condition, steps, maxIterations: 100, onLimit: 'fail', ...parts };
}

export const HALT: ErrorPolicy = { strategy: 'halt', retry: null, then: 'halt', handler: null };
export const SKIP: ErrorPolicy = { strategy: 'skip', retry: null, then: 'skip', handler: null };
export const ROLLBACK: ErrorPolicy = { strategy: 'rollback', retry: null, then: 'rollback', handler: null };

export function retry(parts: Partial<RetryPolicy> = {}, then: ErrorPolicy = HALT): ErrorPolicy {
  return { ...then, strategy: 'retry', retry: { ...DEFAULT_RETRY, jitter: 'none', ...parts } };
}

export function custom(step: Step): ErrorPolicy {
  return { strategy: 'custom', retry: null, then: 'custom', handler: { id: step.id, step } };
}

export interface WorkflowParts extends Partial<Omit<Workflow, 'errorHandling'>> {
  readonly default?: ErrorPolicy;
  readonly perStep?: Record<string, ErrorPolicy>;
  readonly rollback?: ErrorHandling['rollback'];
  readonly slots?: number;
}

export function workflow(steps: Step[], parts: WorkflowParts = {}): Workflow {
  const { default: fallback = HALT, perStep = {}, rollback, slots = 5, ...rest } = parts;
  return {
    name: 'w',
    version: '1.0.0',
    description: '',
    triggers: [],
    inputs: {},
    context: { readonly: {}, mutable: {}, access: {} },
    steps,
    handlers: [],
    errorHandling: { default: fallback, perStep, rollback: rollback ?? { isEnabled: true, steps: [] } },
    limits: { ...DEFAULT_LIMITS, maxConcurrentSteps: slots },
    sandbox: null,
    ...rest,
  };
}

export function ref(source: string): InputValue {
  return { kind: 'ref', source, segments: source.split('.') };
}

/** The global names of all expressions: a context for each evaluation would cost half a millisecond. */
const globals = createContext({}) as Record<string, unknown>;

/** Conditions are JavaScript over bare names; ids with hyphens are not supported. */
export const evaluator: Evaluator = {
  compileExpression: (source, scope) => {
    const names = [...new Set(source.match(/(?<![.\w])[a-z_]\w*/gi) ?? [])];
    const references = names.filter((name) => scope.stepIds.has(name));
    const script = new Script(`(${source})`);
    const evaluate = (bindings: Bindings): Json => {
      for (const name of Object.keys(globals)) delete globals[name];
      Object.assign(globals, scopeOf(bindings, references));
      return script.runInContext(globals) as Json;
    };
    return {
      references,
      evaluate,
      test: (bindings) => {
        const value = evaluate(bindings);
        if (typeof value !== 'boolean') throw new Error(`${source} is not a bool`);
        return value;
      },
    };
  },
  compileTemplate: (source) => ({ references: [], render: () => source }),
  stepReferences: (step, scope) => {
    if (step.type === 'skill' || step.type === 'agent') {
      return Object.values(step.inputs).flatMap((value) => {
        const first = value.kind === 'ref' ? String(value.segments[0]) : '';
        return scope.stepIds.has(first) ? [first] : [];
      });
    }
    if (step.type === 'parallel' || step.type === 'approval') return [];
    return conditionReferences(step.condition, scope);
  },
};

function conditionReferences(condition: string, scope: ExpressionScope): readonly string[] {
  return (condition.match(/[a-z_]\w*/gi) ?? []).filter((name) => scope.stepIds.has(name));
}

function scopeOf(bindings: Bindings, references: readonly string[]): JsonObject {
  const steps = Object.fromEntries(references.map((id) => [id, bindings.steps(id) ?? null]));
  const names = { ...steps, ...bindings.inputs, ...bindings.readonly, ...bindings.mutable };
  return { ...names, iteration: bindings.iteration, error: bindings.error };
}

export const START: RunEvent = { type: 'run.started', inputs: {}, context: { readonly: {}, mutable: {} } };

export function fault(code: ErrorCode = 'EXIT_NONZERO', message = 'boom'): ErrorRecord {
  return { code, message };
}

/** An engine with a driver that a test steers by hand. Events of all calls are kept in order. */
export class Bench {
  readonly engine: Engine;
  readonly journal: RunEvent[] = [];
  commands: Command[] = [];
  now = 0;
  random = (): number => 0.5;

  constructor(definition: Workflow, journal: readonly RunEvent[] = [startOf(definition)]) {
    this.engine = createEngine(definition, { evaluator });
    for (const event of journal) {
      this.engine.apply(event);
      this.journal.push(event);
    }
  }

  get surroundings(): { now: number; random: () => number } {
    return { now: this.now, random: this.random };
  }

  #keep(progress: Progress): RunEvent[] {
    this.journal.push(...progress.events);
    this.commands.push(...progress.commands);
    return [...progress.events];
  }

  /** Advances and gives the new events. */
  advance(): RunEvent[] {
    return this.#keep(this.engine.advance(this.surroundings));
  }

  /** Advances, begins every run command, and gives `path#attempt` of each. */
  go(): string[] {
    this.commands = [];
    this.advance();
    const started: string[] = [];
    for (const command of this.commands) {
      if (command.type !== 'run') continue;
      this.journal.push(this.engine.begin(command.path, command.attempt, command.inputs));
      started.push(`${command.path}#${command.attempt}`);
    }
    return started;
  }

  settle(outcome: Outcome): RunEvent[] {
    return this.#keep(this.engine.settle(outcome, this.surroundings));
  }

  /** Completes the running attempt of the path, then goes on. */
  done(path: string, result: JsonObject = {}): string[] {
    this.settle({ path, attempt: this.attemptOf(path), kind: 'completed', result });
    return this.go();
  }

  /** Fails the running attempt of the path, then goes on. */
  fail(path: string, error: ErrorRecord = fault()): string[] {
    this.settle({ path, attempt: this.attemptOf(path), kind: 'failed', error });
    return this.go();
  }

  stop(kind: 'stop' | 'time_limit' | 'kill_switch' | 'supervisor_lost'): RunEvent[] {
    return this.#keep(this.engine.stop(kind, 'test'));
  }

  resume(cause: 'crash' | 'wait_over' | 'requested', from: string | null = null): RunEvent[] {
    return this.#keep(this.engine.resume(cause, from));
  }

  /** Another engine with this one's journal. */
  crash(definition: Workflow, length = this.journal.length): Bench {
    const next = new Bench(definition, this.journal.slice(0, length));
    next.now = this.now;
    return next;
  }

  attemptOf(path: string): number {
    return this.engine.state.nodes.get(path)?.attempt ?? 0;
  }

  /** `path status` of every event of a step, in short. */
  get story(): string[] {
    return this.journal.map(shorten);
  }
}

export function startOf(definition: Workflow): RunEvent {
  const { readonly, mutable } = definition.context;
  return { type: 'run.started', inputs: {}, context: { readonly, mutable } };
}

/** An event in one line: `step.cancelled b halted`. */
export function shorten(event: RunEvent): string {
  const { type } = event;
  if (type === 'run.ended') return `${type} ${event.status}`;
  if (!('path' in event) || event.path === null) return type;
  const base = `${type} ${event.path}`;
  if (type === 'step.cancelled' || type === 'step.skipped') return `${base} ${event.reason}`;
  if (type === 'step.started') return `${base}#${event.attempt}`;
  if (type === 'attempt.failed') return `${base}#${event.attempt} ${event.error.code}`;
  if (type === 'step.failed') return `${base} ${event.error.code} of ${event.error.step}`;
  if (type === 'step.retrying') return `${base}#${event.attempt} in ${event.delayMs}`;
  if (type === 'branch.chosen') return `${base} ${event.branch}`;
  if (type === 'turn.started' || type === 'turn.completed') return `${base}[${event.iteration}]`;
  return base;
}

/** The durable part of a state as plain values: what the journal must bring back. */
export function snapshot(state: Engine['state']): unknown {
  const { root, nodes, frames, open, ...rest } = state as MutableRunState;
  const known = (node: StepNode): boolean => node.order > 0;
  return {
    ...rest,
    rollback: rest.rollback === null ? null : { ...rest.rollback, frame: null },
    open: [...open]
      .filter(known)
      .map((node) => node.path)
      .sort(),
    nodes: [...nodes.values()]
      .filter(known)
      .sort((a, b) => a.order - b.order)
      .map(({ frame, host, current, frames: all, handler, undo, step, ...values }) => ({
        ...values,
        id: step.id,
        frame: frame.prefix,
        host: host?.path,
        current: current?.prefix,
        frames: all.map((one) => one.prefix),
        handler: handler === null || !known(handler) ? null : handler.path,
        undo: undo === null || !known(undo) ? null : undo.path,
      })),
    frames: [...frames.values(), root].map(
      ({ owner, steps, children, failed, winner, cursor, untaken, ...values }) => ({
        ...values,
        isCursorInside: cursor <= steps.length,
        owner: owner?.path,
        steps: steps.map((step) => step.id),
        untaken: untaken.map((step) => step.id),
        children: [...children.values()]
          .filter(known)
          .map((node) => node.path)
          .sort(),
        failed: failed?.path,
        winner: winner?.path,
      }),
    ),
  };
}
