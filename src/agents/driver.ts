import type { JsonObject } from '../definition/workflow.ts';
import { runAgent } from './native/loop.ts';
import type { Transcript } from './native/transcript.ts';
import type { AgentJob, AgentTask, AgentWorld } from './run.ts';

/** Who does the work of an agent step. One driver does one attempt. */
export interface AgentDriver {
  /**
   * Does the job to its end: the result of the step, or null when it was cancelled. Throws AGENT_LIMIT, AGENT_STUCK,
   * OUTPUT_INVALID, STEP_TIMEOUT, POLICY_DENIED and what is its own.
   */
  run(
    job: AgentJob,
    transcript: Transcript,
    world: AgentWorld,
    signal: AbortSignal,
  ): Promise<JsonObject | null>;
  /** Ends what it started; nothing of it is left. */
  close(): Promise<void>;
}

/** Our own loop. `close` ends what its tools need. */
export function nativeDriver(
  parts: Pick<AgentTask, 'model' | 'spec' | 'tools' | 'hooks'>,
  close: () => Promise<void>,
): AgentDriver {
  return {
    run: (job, transcript, world, signal) => runAgent({ ...job, ...parts }, transcript, world, signal),
    close,
  };
}
