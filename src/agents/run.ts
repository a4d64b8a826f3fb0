/** What the parts of the loop share: the task, the world around it, and where it stands. */
import type { AgentEvent } from '../engine/agent-events.ts';
import { WorkflowError } from '../errors/workflow-error.ts';
import type { StuckLimits } from '../guard/stuck.ts';
import type { AgentIntent, Permit, PermitApproval } from '../protocol/instance-link.ts';
import type { AgentLimits, Price } from './budget.ts';
import type { TaskHooks } from './hooks/task-hooks.ts';
import type { Model } from './model/model.ts';
import type { AnswerRules } from './native/answer.ts';
import type { ToolBox } from './native/tool-box.ts';
import type { Transcript } from './native/transcript.ts';
import type { WorkClock } from './work-clock.ts';

/** What came of a call: its value, or why a kill switch ended it. */
export type CallEnd<T> = { readonly value: T } | { readonly switchedOff: string };

export interface AgentWorld {
  /** Journals events, in order, and applies them to the transcript. Durable once a permit came after them. */
  record(events: readonly AgentEvent[]): void;
  /** Null when the attempt is cancelled first. An answer that a person has to give may take its time. */
  permit(kind: 'model' | 'tool' | 'hook', intent: AgentIntent, signal: AbortSignal): Promise<Permit | null>;
  /** Resolves when a person has decided, when the time for it is over, or when the signal aborts. */
  decided(approval: PermitApproval, signal: AbortSignal): Promise<void>;
  /** Runs a call that is allowed. Ended early, with the reason, when a kill switch is tripped that covers it. */
  during<T>(
    tool: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<CallEnd<T>>;
  /** Hides secrets. */
  mask(text: string): string;
  /** Uniform in [0, 1). */
  random(): number;
  /** Resolves after the time, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

/** What is to be done, whoever does it. */
export interface AgentJob {
  readonly path: string;
  readonly attempt: number;
  readonly system: string;
  readonly task: string;
  readonly limits: AgentLimits;
  readonly stuck: StuckLimits;
  /** Time that this attempt may work; null = no limit of its own. */
  readonly timeoutMs: number | null;
  readonly rules: AnswerRules;
}

export interface AgentTask extends AgentJob {
  readonly model: Model;
  readonly spec: {
    readonly name: string;
    readonly id: string;
    readonly maxOutputTokens: number | null;
    readonly price: Price | null;
  };
  readonly tools: ToolBox;
  /** Null for an agent that has none. */
  readonly hooks: TaskHooks | null;
}

/** What of a run the parts of the loop share. */
export interface LoopRun {
  readonly task: AgentTask;
  readonly world: AgentWorld;
  readonly transcript: Transcript;
  readonly clock: WorkClock;
  /** Aborts when the attempt is cancelled or its time is over. */
  readonly signal: AbortSignal;
}

/** Thrown by the loop when nothing of it can go on before a person has decided: it goes on in another attempt's place. */
export class Suspended extends Error {
  readonly approvals: readonly PermitApproval[];

  constructor(approvals: readonly PermitApproval[]) {
    super('a person has to decide first');
    this.approvals = approvals;
  }
}

/** What a permit waits for. Throws INTERNAL for one that does not say. */
export function approvalOf({ approval }: Permit): PermitApproval {
  if (approval === undefined) throw new WorkflowError('INTERNAL', 'a permit waits and does not say for what');
  return approval;
}

/** Thrown inside of the loop when it was cancelled; never leaves it. */
export class Cancelled extends Error {}
