import { SUPERVISOR } from '../../audit/record.ts';
import type { RunEvent } from '../../engine/events.ts';
import type { ErrorCode } from '../../errors/table.ts';
import type { Latch } from '../../guard/kill/latch-files.ts';
import type { SupervisorContext } from '../context.ts';
import type { LiveInstance } from '../lifecycle/live-instance.ts';
import { sendTrip } from '../lifecycle/part-ends.ts';

type Trips = Pick<SupervisorContext, 'killSwitch' | 'now'>;

/** An agent that used up its budget, repeats itself or is refused again and again: nothing more of it without a person. */
const FAILURES: ReadonlySet<ErrorCode> = new Set(['AGENT_LIMIT', 'AGENT_STUCK']);

/**
 * Trips the kill switch of a step, the narrowest there is, for what its agent did: retries that its workflow allows
 * come first. The run goes on as its workflow says; a `resume` does not start the step again before a person re-arms
 * it. To be called after the commit of the event.
 */
export function tripFor(context: Trips, live: LiveInstance, event: RunEvent): void {
  if (event.type !== 'step.failed' || !FAILURES.has(event.error.code)) return;
  // The failure came up from a step within: that one is meant.
  if (event.error.step !== event.path) return;
  const { code, message } = event.error;
  trip(context, live, event.path, `${code}: ${message}`);
}

/**
 * Nothing could be recorded for so long: no new effect begins without its record, and what the agents of the run have
 * under way is ended.
 */
export function tripUnrecorded(context: Trips, live: LiveInstance, seconds: number, cause: string): void {
  for (const { path, type, status } of live.projection.view().steps)
    if (type === 'agent' && status === 'running')
      trip(context, live, path, `AUDIT_FAILURE: nothing could be recorded for ${seconds} s: ${cause}`);
}

function trip(context: Trips, live: LiveInstance, path: string, reason: string): void {
  const scope = `step:${live.row.id}/${path}` as const;
  const latch: Latch = { scope, mode: 'kill', reason, by: 'supervisor', at: context.now() };
  // Its record is written or spooled by itself.
  void context.killSwitch.latch(latch, SUPERVISOR).recorded;
  // What of it still runs is ended by its process. One that hangs is found by its pulse, and refused when it is back.
  sendTrip(context, live, latch);
}
