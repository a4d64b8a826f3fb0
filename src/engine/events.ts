/**
 * The journal of one instance: facts, in order, from which its state is rebuilt. An event is the only thing that
 * changes a run; the same events in the same order give the same state. Values in events are what was decided or
 * observed, never something to compute again (delays drawn, branches chosen, context values written).
 *
 * Paths: `a` at the top, `group/a` inside a composite, `loop[2]/a` in a loop's third turn, `group~2/a` in the second
 * attempt of a retried composite, `a!name` the handler of `a`, `a!undo` its undo step, `!rollback/name` a step of
 * `rollback.steps`. A composite's own node carries no turn: `loop`; its turns are `loop[0]`, `loop[1]`.
 */
import type { Json, JsonObject, StepType } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { AgentEvent } from './agent-events.ts';

export type StopKind = 'stop' | 'time_limit' | 'kill_switch' | 'supervisor_lost';

export type ResumeCause = 'crash' | 'wait_over' | 'requested';

export type CancelReason =
  | 'sibling_failed'
  | 'branch_lost'
  | 'halted'
  | 'stopping'
  | 'rollback'
  | 'group_retry';

export type EndStatus =
  | 'completed'
  | 'failed'
  | 'stopped'
  | 'killed'
  | 'timed_out'
  | 'rolled_back'
  | 'rollback_failed';

export type RunEvent =
  | AgentEvent
  /** The first event: what the run began with. */
  | { readonly type: 'run.started'; readonly inputs: JsonObject; readonly context: ContextValues }
  /** A new process took the run over (after a crash, a wait, or by hand). `from` reopens that step and all after it. */
  | {
      readonly type: 'run.resumed';
      readonly cause: ResumeCause;
      readonly from: string | null;
      /** Paths of steps, and turns such as `loop[2]`, whose record is dropped so that they run again. */
      readonly forgotten?: readonly string[];
      /** Paths of ended steps that are open again, parents before children. A composite goes on where it was. */
      readonly reopened?: readonly string[];
    }
  /** Before the effect: an attempt of a leaf step begins. Not written for effect-free leaves. */
  | {
      readonly type: 'step.started';
      readonly path: string;
      readonly stepType: StepType;
      readonly attempt: number;
      /** Inputs after references; secrets stay names. Only for leaves. */
      readonly inputs?: JsonObject;
    }
  /** An attempt that was in flight when its process died; written by the process that resumes. */
  | { readonly type: 'step.interrupted'; readonly path: string; readonly attempt: number }
  /** The step is done for good. `writes` are context values to put, in order of completion. */
  | {
      readonly type: 'step.completed';
      readonly path: string;
      /** Here and below: present when no earlier event of this path told it (effect-free or never started). */
      readonly stepType?: StepType;
      readonly attempt: number;
      readonly result: Json;
      readonly writes: JsonObject;
    }
  /** One attempt failed; what follows from it is the next event. */
  | {
      readonly type: 'attempt.failed';
      readonly path: string;
      readonly stepType?: StepType;
      readonly attempt: number;
      readonly error: ErrorRecord;
    }
  /** The next attempt is due at `dueAt` (wall clock, UTC ms). */
  | {
      readonly type: 'step.retrying';
      readonly path: string;
      readonly attempt: number;
      readonly delayMs: number;
      readonly dueAt: number;
    }
  /**
   * What the attempt wants to do next needs a person: it has let go of everything it held, and goes on when one of
   * these approvals is decided, at `until` (UTC ms) at the latest. They are numbered within the run.
   */
  | {
      readonly type: 'step.suspended';
      readonly path: string;
      readonly attempt: number;
      readonly approvals: readonly number[];
      readonly until: number;
    }
  /** One of them is decided: the attempt goes on, and asks again for what it wants. */
  | { readonly type: 'step.released'; readonly path: string; readonly approval: number }
  /** The step failed and its strategy does not catch it: the failure goes to its parent. */
  | { readonly type: 'step.failed'; readonly path: string; readonly error: ErrorRecord }
  /** Its outputs are null: a branch not taken, or an error that its strategy skips. */
  | {
      readonly type: 'step.skipped';
      readonly path: string;
      readonly stepType?: StepType;
      readonly reason: 'branch' | 'error' | 'on_resume';
      readonly error: ErrorRecord | null;
    }
  /** Ended from outside: a sibling failed, another branch won, the run stops or rolls back. */
  | {
      readonly type: 'step.cancelled';
      readonly path: string;
      readonly stepType?: StepType;
      readonly reason: CancelReason;
    }
  /** The custom handler of the step succeeded; its result stands for the step's. */
  | { readonly type: 'step.handled'; readonly path: string; readonly handler: string; readonly result: Json }
  /** Which way a conditional goes; the event comes also when the branch has no steps. */
  | { readonly type: 'branch.chosen'; readonly path: string; readonly branch: 'then' | 'else' }
  | { readonly type: 'turn.started'; readonly path: string; readonly iteration: number }
  | { readonly type: 'turn.completed'; readonly path: string; readonly iteration: number }
  | { readonly type: 'rollback.started'; readonly step: string; readonly error: ErrorRecord }
  /** The run is to end; attempts in flight are being ended. */
  | { readonly type: 'run.stopping'; readonly kind: StopKind; readonly by: string }
  /** Nothing to do before `until` (UTC ms); the process leaves and is started again then. */
  | { readonly type: 'run.waiting'; readonly until: number }
  /**
   * A limit was met: of a step (path) or of the instance (null). Observed fact; changes no state. `allowed` and `peak`
   * are bytes (memory, disk), processes, seconds (time) or percent of one core (cpu: the mean over the time).
   */
  | {
      readonly type: 'limit.hit';
      readonly path: string | null;
      readonly limit: 'memory' | 'processes' | 'time' | 'cpu' | 'disk';
      readonly allowed: number;
      readonly peak: number;
      /** processes: starts that the kernel refused. */
      readonly refused?: number;
      /** cpu: how long the quota held it back. */
      readonly heldBackSeconds?: number;
    }
  | {
      readonly type: 'run.ended';
      readonly status: EndStatus;
      /** One line with numbers, e.g. `oom: 512 MB limit, peak 511 MB, step fetch-data`. */
      readonly reason: string;
      readonly error: ErrorRecord | null;
    };

export type RunEventType = RunEvent['type'];

export interface ContextValues {
  readonly readonly: JsonObject;
  readonly mutable: JsonObject;
}

/** An event as the journal holds it. `seq` counts from 1 within the instance; `at` is UTC ms. */
export interface JournalEntry {
  readonly seq: number;
  readonly at: number;
  readonly event: RunEvent;
}
