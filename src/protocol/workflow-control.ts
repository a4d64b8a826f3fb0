/** Workflows on the control socket: what is found and what is registered. */
import type { Problem } from '../errors/workflow-error.ts';

export interface WorkflowSummary {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  /** `file`: it was asked for by its path. */
  readonly source: 'workspace' | 'user' | 'registered' | 'file';
  readonly file: string;
  readonly is_valid: boolean;
  readonly problems: readonly Problem[];
}

/** One content of a registered workflow: `list --versions`. */
export interface VersionDocument {
  readonly workflow: string;
  readonly number: number;
  /** SHA-256 of the text. */
  readonly definition: string;
  /** As the file has it. */
  readonly version: string;
  readonly file: string;
  readonly registered_at: string;
  readonly registered_by: string | null;
  /** The one that the name means now. */
  readonly is_current: boolean;
  /** Instances that have it, archived ones not counted. */
  readonly runs: number;
}
