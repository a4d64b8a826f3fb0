import type { JsonObject } from '../../../definition/workflow.ts';

/** Something that an agent or a workflow is about to do, before it is done. */
export interface GuardedCall {
  /** `hook`: a command of an agent file, judged like one of a shell. */
  readonly kind: 'tool' | 'model' | 'spawn' | 'schedule' | 'hook';
  /** The name of the tool as it was called; of other kinds what is used: model, skill or agent, workflow, event. */
  readonly tool: string;
  readonly args: JsonObject;
  /** Absolute. */
  readonly workspace: string;
  /** Absolute; relative paths begin here. */
  readonly cwd: string;
  readonly workflow: string | null;
  readonly agent: string | null;
  readonly step: string | null;
  /** Null: that of the policies. */
  readonly environment: string | null;
}

/** The environment where nobody has named one. */
export const DEFAULT_ENVIRONMENT = 'default';
