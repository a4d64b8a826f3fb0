/**
 * What instance and supervisor say to each other: the bootstrap over an inherited descriptor, then messages over
 * `instance.sock`. None of the people's methods exists there.
 */
import type { ScopeRecord } from '../../sandbox/isolation.ts';
import type { JsonObject, Workflow } from '../definition/workflow.ts';
import type { ContextValues, JournalEntry, StopKind } from '../engine/events.ts';
import type { ErrorRecord } from '../errors/workflow-error.ts';
import type { Skill } from '../skills/skill.ts';

/** Descriptor on which an instance process reads its bootstrap, one JSON document up to the end of the stream. */
export const BOOTSTRAP_FD = 3;

export interface Bootstrap {
  readonly instance: string;
  readonly incarnation: number;
  /** Proves to the supervisor that this process is the one it started; never in argv or environment. */
  readonly token: string;
  readonly socket: string;
  /** The instance's own folder: logs, blobs, scratch. */
  readonly folder: string;
  readonly secretsFolder: string;
  readonly workspace: string;
  readonly workflow: Workflow;
  readonly skills: Readonly<Record<string, Skill>>;
  readonly inputs: JsonObject;
  readonly context: ContextValues;
  readonly journal: readonly JournalEntry[];
  readonly scope: ScopeRecord;
  /** Values of variables that steps inherit, from the caller's environment by allow-list. */
  readonly env: Readonly<Record<string, string>>;
  /** Time the run may still be active, ms. */
  readonly remainingMs: number;
  readonly cause: 'start' | 'crash' | 'wait_over' | 'requested';
  /** Only with cause requested: the step from which the run is done again. */
  readonly from: string | null;
  readonly orphanTimeoutMs: number;
}

/** What a process asks leave for. The answer is committed together with the intent. */
export interface PermitRequest {
  readonly kind: 'spawn' | 'session';
  readonly path: string;
  readonly attempt: number;
  /** Skill or agent name. */
  readonly subject: string;
}

export interface Permit {
  readonly decision: 'allow' | 'deny';
  readonly rules: readonly string[];
  readonly policyHash: string;
  /** SHA-256 of the canonical JSON of the inputs in the intent that was journaled; secrets by name. */
  readonly inputsHash: string;
  /** Kill-switch epoch at the decision; an older epoch is refused. */
  readonly epoch: number;
  readonly reason: string;
}

export type InstanceMessage =
  | {
      readonly type: 'hello';
      readonly instance: string;
      readonly incarnation: number;
      readonly token: string;
      readonly pid: number;
      /** Highest sequence number that this process knows to be committed. */
      readonly ackedSeq: number;
    }
  | { readonly type: 'events'; readonly entries: readonly JournalEntry[] }
  /** Answered after the commit of all events up to `afterSeq`. */
  | {
      readonly type: 'permit';
      readonly id: number;
      readonly afterSeq: number;
      readonly request: PermitRequest;
    }
  /** Progress of a step, shown live, not journaled. */
  | { readonly type: 'progress'; readonly path: string; readonly line: string };

export type SupervisorMessage =
  | { readonly type: 'welcome'; readonly ackedSeq: number }
  /** A newer incarnation exists, or the token is wrong: the process ends at once. */
  | { readonly type: 'fenced'; readonly reason: string }
  | { readonly type: 'ack'; readonly seq: number }
  | { readonly type: 'permit'; readonly id: number; readonly permit: Permit }
  | { readonly type: 'stop'; readonly kind: StopKind; readonly by: string }
  | { readonly type: 'refused'; readonly error: ErrorRecord };
