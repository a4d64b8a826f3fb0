/**
 * What the engine promises to the process that drives it. The engine is pure: it reads no clock, draws no random
 * number, starts nothing. The driver feeds it outcomes, journals the events that it gives back, and carries out its
 * commands.
 */
import type { JsonObject, LeafStep } from '../definition/workflow.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { ResumeCause, RunEvent, StopKind } from './events.ts';
import type { RunState } from './run-state.ts';

/** Clock and chance, passed in so that a run can be replayed and tested. */
export interface Surroundings {
  /** Wall clock, UTC ms. */
  readonly now: number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export type Command =
  /** Run one attempt of a leaf. Before its effect the driver journals `step.started` (via `begin`). */
  | {
      readonly type: 'run';
      readonly path: string;
      readonly step: LeafStep;
      readonly attempt: number;
      /** References resolved, templates filled in; a secret stays `{"$secret": "NAME"}`. */
      readonly inputs: JsonObject;
      /** The instance's part of the idempotency key: path with group attempts and turns, without the leaf's attempt. */
      readonly key: string;
      /** The `error` that a handler sees, else null. */
      readonly error: JsonObject | null;
    }
  /** End the attempt in flight at this path; the state is already cancelled, no outcome is expected. */
  | { readonly type: 'cancel'; readonly path: string; readonly attempt: number }
  /** Call `advance` again at `at` (UTC ms) at the latest. */
  | { readonly type: 'wake'; readonly at: number };

export type Outcome =
  | {
      readonly path: string;
      readonly attempt: number;
      readonly kind: 'completed';
      readonly result: JsonObject;
    }
  | { readonly path: string; readonly attempt: number; readonly kind: 'failed'; readonly error: ErrorRecord }
  /** It needs a person first: see `step.suspended`. */
  | {
      readonly path: string;
      readonly attempt: number;
      readonly kind: 'suspended';
      readonly approvals: readonly number[];
      readonly until: number;
    };

/** Events are already applied to the state, in this order; the driver journals them before it acts on commands. */
export interface Progress {
  readonly events: readonly RunEvent[];
  readonly commands: readonly Command[];
}

export interface Engine {
  readonly state: RunState;
  /** Applies one event of the journal (replay). Throws IllegalTransition for a move the tables do not allow. */
  apply(event: RunEvent): void;
  /** Moves the run on as far as it goes without the outside: starts, skips, turns, retries that are due, the end. */
  advance(surroundings: Surroundings): Progress;
  /**
   * Takes over a run whose process is gone, or reopens one that ended (`requested`): `run.resumed`, then
   * `step.interrupted` for every attempt that was in flight, then what `on_resume` says. Call `advance` after it.
   * `from` needs an ended run. Throws IllegalTransition for a run that cannot be resumed, STEP_NOT_FOUND for `from`.
   */
  resume(cause: ResumeCause, from: string | null): Progress;
  /** True while this attempt was asked for by `run` or begun, and is neither settled nor cancelled. */
  isCurrent(path: string, attempt: number): boolean;
  /**
   * The intent of an attempt with an effect: `step.started`. The driver runs the effect after its ack. Throws
   * IllegalTransition for an attempt that is not current: ask `isCurrent` when anything came between `run` and this.
   */
  begin(path: string, attempt: number, inputs: JsonObject): RunEvent;
  /** Takes an outcome. An outcome of a cancelled or older attempt gives no events. Call `advance` after it. */
  settle(outcome: Outcome, surroundings: Surroundings): Progress;
  /**
   * An approval is decided: the attempts that wait for it go on. None when nothing waits for it (any more). Call
   * `advance` after it.
   */
  release(approval: number): Progress;
  /**
   * A person, a deadline or a switch ends the run: `run.stopping` and cancels. Call `advance` after it. A run that is
   * stopping already gives no events; one that has ended throws IllegalTransition.
   */
  stop(kind: StopKind, by: string): Progress;
}
