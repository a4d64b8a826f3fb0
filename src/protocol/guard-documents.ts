/** What the commands of kill switches print. */
import type { JsonObject } from '../definition/workflow.ts';

/** What became of one instance under a tripped kill switch. */
export interface HaltedInstance {
  readonly id: string;
  readonly workflow: string;
  readonly had_process: boolean;
  /** Processes that were there, and those that were killed because they did not leave. */
  readonly found: number;
  readonly killed: number;
  /** Pids that are left; empty unless something is stuck in the kernel. */
  readonly survivors: readonly number[];
  readonly ms: number;
  readonly failure?: string;
}

/** What tripping a kill switch did. */
export interface KillDocument extends LatchDocument {
  /** False when it was tripped before. */
  readonly is_new: boolean;
  /** The command itself, where no supervisor answered. */
  readonly carried_out_by: 'supervisor' | 'command';
  readonly instances: readonly HaltedInstance[];
  /** Those of the instances that were ended as a whole though the scope covers parts only: they did not react. */
  readonly escalated: readonly string[];
  readonly survivors: number;
  readonly ms: number;
  /** Why no file holds it; left out where one does. */
  readonly latch_fault?: string;
}

/** What a person types to re-arm the global kill switch. */
export const REARM_PHRASE = 'rearm global';

/** A tripped kill switch. */
export interface LatchDocument {
  readonly scope: string;
  readonly mode: 'stop' | 'kill' | 'quarantine';
  readonly reason: string;
  readonly by: string;
  readonly tripped_at: string;
}

/** What a drill found; goes into the audit as it is. */
export interface DrillEvidence {
  /** Everything below held. */
  readonly held: boolean;
  /** The canary. */
  readonly id: string;
  readonly scope: string;
  readonly started_at: string;
  /** Processes of the canary when its switch was tripped. */
  readonly processes: number;
  /** From the trip until the command saw no process of it; null when it was not tripped. */
  readonly ms_until_empty: number | null;
  readonly checks: readonly DrillCheck[];
}

export interface DrillCheck {
  readonly name: string;
  readonly held: boolean;
  readonly detail: string;
}

/** A past decision about a call, with its arguments. */
export interface RecordedCall {
  /** Of the record `permit.decided`. */
  readonly seq: number;
  /** UTC ISO 8601. */
  readonly at: string;
  readonly instance: string;
  readonly workflow: string;
  readonly workspace: string;
  /** Path. */
  readonly step: string;
  readonly agent: string | null;
  readonly kind: 'spawn' | 'session' | 'model' | 'tool' | 'hook' | 'approval';
  readonly tool: string;
  /** Null when its journal has no intent of it (any more). */
  readonly args: JsonObject | null;
  readonly decision: 'allow' | 'ask' | 'deny';
  readonly rules: readonly string[];
  readonly reason: string | null;
}

/** What reading the policies anew has changed. Hashes are those of the files that hold for a run. */
export interface PolicyReload {
  readonly runs: readonly {
    readonly id: string;
    readonly workflow: string;
    /** Null when the run had not asked for anything yet under this supervisor. */
    readonly old_hash: string | null;
    readonly new_hash: string;
    readonly is_changed: boolean;
  }[];
  /** Files that cannot be used: their layers deny everything. */
  readonly unusable: readonly { readonly file: string; readonly layer: string; readonly message: string }[];
}
