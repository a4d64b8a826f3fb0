import { SUPERVISOR } from '../audit/record.ts';
import type { RunEvent } from '../engine/events.ts';
import type { ErrorCode } from '../errors/table.ts';
import type { SupervisorContext } from './context.ts';
import type { LiveInstance } from './live-instance.ts';

/** An agent that used up its budget, repeats itself or is refused again and again: nothing more of it without a person. */
const FAILURES: ReadonlySet<ErrorCode> = new Set(['AGENT_LIMIT', 'AGENT_STUCK']);

/**
 * Trips the kill switch of a step, the narrowest there is, for what its agent did: retries that its workflow allows
 * come first. The run goes on as its workflow says; a `resume` does not start the step again before a person re-arms
 * it. To be called after the commit of the event.
 */
export function tripFor({ killSwitch, now }: SupervisorContext, live: LiveInstance, event: RunEvent): void {
  if (event.type !== 'step.failed' || !FAILURES.has(event.error.code)) return;
  // The failure came up from a step within: that one is meant.
  if (event.error.step !== event.path) return;
  const { code, message } = event.error;
  const latch = {
    scope: `step:${live.row.id}/${event.path}`,
    mode: 'kill',
    reason: `${code}: ${message}`,
    by: 'supervisor',
    at: now(),
  } as const;
  // Its record is written or spooled by itself; what failed runs no more.
  void killSwitch.latch(latch, SUPERVISOR).recorded;
}
