/** Tool calls of agents whose process ended before their outcome was journaled. */
import type { RunEvent } from '../engine/events.ts';

/** What is told of such a call: nobody knows whether it had its effect. */
export const INTERRUPTED_TEXT =
  'interrupted: the process ended while this call was open. It may or may not have had its effect; look before you repeat it.';

/** The outcomes that a journal lacks, in the order of their intents. `hash` is SHA-256, in hex. */
export function interruptions(
  journal: readonly { readonly event: RunEvent }[],
  hash: (text: string) => string,
): RunEvent[] {
  const open = new Map<string, [path: string, call: string]>();
  for (const { event } of journal) {
    if (event.type === 'agent.tool_called')
      open.set(`${event.path}\0${event.call}`, [event.path, event.call]);
    if (event.type === 'agent.tool_ended') open.delete(`${event.path}\0${event.call}`);
  }
  return [...open.values()].map(([path, call]) => ({
    type: 'agent.tool_ended',
    path,
    call,
    outcome: 'interrupted',
    result: INTERRUPTED_TEXT,
    bytes: Buffer.byteLength(INTERRUPTED_TEXT),
    hash: hash(INTERRUPTED_TEXT),
  }));
}
